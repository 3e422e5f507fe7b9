package stentor

import "strings"

// who is the identity of a subscription. It never changes. Its texts are one string,
// because there may be a hundred thousand, and because one from a request would hold on to all
// of that.
type who struct {
	text          string
	ends          [details]uint32
	created       int64 // in nanoseconds since 1970
	authenticated bool
}

// detail is one text of a who: first those that it is found by.
type detail int8

const (
	byUser detail = iota
	bySession
	byKey
	byUserName // if it is authenticated
	itsID
	itsDisplayName
	itsAddress
	itsCursor // that the client presented
	details

	names = itsID // so many can be found by
)

// describe makes a who of its texts.
func describe(texts [details]string) (w who) {
	w.text = strings.Join(texts[:], "")
	n := uint32(0)
	for i, t := range texts {
		n += uint32(len(t))
		w.ends[i] = n
	}
	return w
}

// is the text of a detail, "" for none.
func (w *who) is(d detail) string {
	if d == 0 {
		return w.text[:w.ends[0]]
	}
	return w.text[w.ends[d-1]:w.ends[d]]
}
