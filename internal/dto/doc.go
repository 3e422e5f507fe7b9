// Package dto reads requests and writes answers in the manner of ServiceStack's
// services, which take their parameters from the path, the query, a form or JSON, with
// names in any letter case and arrays in several spellings, and answer errors with an
// envelope of their own. The ServiceStack face and the Chat application share it.
//
// A parameter that nobody asks for may be anything: what is wrong with one is
// said when it is read.
package dto
