// Package want says what shall be there, as targets for internal/plan: what a call
// names, or what AUTOINSTALL asks for on each kernel. A target that something
// stands in the way of says what. It also puts what is there into the plan's
// words.
//
// It looks, and changes nothing.
package want
