package makefile

import "path"

// A Module is one .ko that kbuild would make.
type Module struct {
	// Name is the module's, without directory and .ko.
	Name string
	// Dir is where its .ko is made, relative to the tree; "" is its top.
	Dir string
	// Root is the directory to hand to kbuild as M, relative to the tree: ""
	// where the top's own file leads to this module.
	Root string
	// File and Line are where it is listed: the path is relative to the tree.
	File string
	Line int
	// Conditional says when it is built, in the Makefile's words: CONFIG_X for
	// obj-$(CONFIG_X), `$(HDAPS) = 1` for an ifeq; joined by " && ", several
	// ways by " or ". "" is always.
	Conditional string
	// Config are the kernel's options among the conditions that must be y or m.
	Config []string
	// Selected are those of Config that stand in obj-$(CONFIG_X) and nowhere
	// else: whoever calls make may set them.
	Selected []string
	// Unset are the kernel's options that must be neither y nor m.
	Unset []string
	// Other are the conditions that no option of the kernel decides and that do
	// not hold when nothing is set on make's command line.
	Other []string
	// Default says whether it is built when nothing is set on make's command line.
	Default Answer
	// Sources are its .c, .S and .rs files as far as they exist, relative to the tree.
	Sources []string
}

// Answer is yes, no, or what only a certain kernel can tell.
type Answer int

// The answers.
const (
	No Answer = iota - 1
	Depends
	Yes
)

// String returns no, depends or yes.
func (a Answer) String() string { return [...]string{"no", "depends", "yes"}[a+1] }

// Unclear is something that was read and not understood, so that modules may
// be missing from the list.
type Unclear struct {
	File    string // relative to the tree
	Line    int
	Text    string // as it stands there
	Problem string
	// Perhaps are names of modules that it may add: what ends in .o in the text.
	Perhaps []string
}

// A Tree is what a directory with Makefiles builds.
type Tree struct {
	// Modules are in the order of the Makefiles: those that the top leads to
	// first, then those of directories to which nothing leads, by name.
	Modules []Module
	// Unclear is in the order of reading.
	Unclear []Unclear
}

// limits bound what a hostile tree can ask for.
const (
	maxFile     = 1 << 20 // bytes of one Makefile
	maxFiles    = 2000    // Makefiles of one tree
	maxEntries  = 200_000 // files and directories of one tree
	maxDepth    = 24      // directories, includes
	maxNesting  = 60      // references within references
	maxSteps    = 100_000 // references expanded in one tree
	maxBytes    = 1 << 18 // of one expanded value
	maxChoices  = 2000    // that conditions leave in one value
	maxWays     = 64      // ways in which conditions can make one word
	maxModules  = 20_000
	maxUnclears = 1000
)

// Modules returns what Read finds, without what is unclear.
func Modules(dir string) ([]Module, error) {
	t, err := Read(dir)
	if err != nil {
		return nil, err
	}
	return t.Modules, nil
}

// Top are the modules to which the top's own Kbuild file or Makefile leads.
func (t *Tree) Top() []Module { return t.Below("") }

// Below are the modules that kbuild makes when root is given to it as M.
func (t *Tree) Below(root string) (all []Module) {
	for _, m := range t.Modules {
		if m.Root == root {
			all = append(all, m)
		}
	}
	return all
}

// Roots are the directories to hand to kbuild as M, in order, "" for the top.
func (t *Tree) Roots() (roots []string) {
	for _, m := range t.Modules {
		if len(roots) == 0 || roots[len(roots)-1] != m.Root {
			roots = append(roots, m.Root)
		}
	}
	return roots
}

// join is path.Join where "" stays the top.
func join(elements ...string) string {
	if p := path.Join(elements...); p != "." {
		return p
	}
	return ""
}
