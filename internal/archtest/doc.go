// Package archtest holds the rules of the house that no compiler checks, and the
// test that keeps them over every directory of the repository, nested modules
// included.
//
//   - Every package has a floor, and imports point down: never up, never sideways
//     ([Floors]).
//   - The root module imports the standard library and itself, tests included.
//   - The hub, which is the root package, reaches no net/http, whatever the way.
//   - Nested modules leave the root's internal packages alone, and their replaces
//     stay inside the repository.
//   - Test support is imported by tests.
//   - There are no package variables but errors and embedded files, no init, no
//     logging below floor 2, no file over 400 lines.
//   - A test that a doc comment of a package names exists in that package, and a
//     link in a document leads somewhere.
//
// To add a package, give it a line in [Floors]. TestRulesBite shows that each rule
// fails on a tree that breaks it.
package archtest
