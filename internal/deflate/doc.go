// Package deflate compresses what many connections get once for all of them, without
// anything of a compressor for each.
//
// A body is one gzip member: its header, then blocks, each of which ends at a byte and can be
// read as soon as it has come, then at a good end the trailer. A block stands alone, or it
// refers to the kilobyte before it. That is one and the same for all connections that have
// lately got the same, whatever they got before; so they share the block. Which kilobyte
// that was is all that has to be known of a connection: one integer (FuzzModel). Whoever has just come, or
// got something of its own, gets blocks that stand alone until the kilobyte before is again
// what others have (TestNewcomersComeToShare).
//
// What is for one connection alone is never what a shared block refers to. So nobody who
// can publish learns from the length of blocks what others were told in private
// (TestPrivateIsNotReferredTo).
package deflate
