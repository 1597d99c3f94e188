package makefile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// files makes a file system of "path: text" pairs; a .c file may be empty.
func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i+1 < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1]), Mode: 0o644}
	}
	return fsys
}

// show is one line per module: DIR/NAME FILE:LINE DEFAULT [CONDITIONS], with
// M=ROOT where that is not the top; then what is unclear.
func show(t *Tree) (lines []string) {
	for _, m := range t.Modules {
		l := fmt.Sprintf("%s %s:%d %v", join(m.Dir, m.Name), m.File, m.Line, m.Default)
		if m.Conditional != "" {
			l += " if " + m.Conditional
		}
		if m.Root != "" {
			l += " M=" + m.Root
		}
		if len(m.Sources) > 0 {
			l += " of " + strings.Join(m.Sources, " ")
		}
		lines = append(lines, l)
	}
	for _, u := range t.Unclear {
		l := fmt.Sprintf("? %s:%d: %s", u.File, u.Line, u.Problem)
		if len(u.Perhaps) > 0 {
			l += " (" + strings.Join(u.Perhaps, " ") + ")"
		}
		lines = append(lines, l)
	}
	return lines
}

var treeCases = []struct {
	name  string
	files fstest.MapFS
	want  []string
}{
	{"one line", files("Kbuild", "obj-m := hello.o\n", "hello.c", ""), []string{"hello Kbuild:1 yes of hello.c"}},
	{"Kbuild before Makefile", files("Kbuild", "obj-m := a.o\n", "Makefile", "obj-m := b.o\n"), []string{"a Kbuild:1 yes"}},
	{"composite", files("Makefile", "obj-m += big.o\nbig-objs := one.o \\\n  sub/two.o\nbig-y += three.o\nbig-$(CONFIG_PM) += pm.o\n",
		"one.c", "", "sub/two.S", "", "three.rs", "", "pm.c", ""),
		[]string{"big Makefile:1 yes of one.c pm.c sub/two.S three.rs"}},
	{"several on one line, one twice", files("Makefile", "obj-m := a.o b.o a.o\n"), []string{"a Makefile:1 yes", "b Makefile:1 yes"}},
	{"the last := counts", files("Makefile", "obj-m := a.o\nobj-m := b.o\n"), []string{"b Makefile:2 yes"}},
	{"option of the kernel", files("Makefile", "obj-$(CONFIG_USB) += u.o\nobj-$(CONFIG_FOO) := f.o\n"),
		[]string{"u Makefile:1 depends if CONFIG_USB", "f Makefile:2 depends if CONFIG_FOO"}},
	{"option set in the file", files("Makefile", "CONFIG_FOO := m\nobj-$(CONFIG_FOO) += f.o\n"), []string{"f Makefile:2 yes"}},
	{"option exported with a default", files("Makefile", "export CONFIG_FOO ?= m\nobj-$(CONFIG_FOO) += f.o\n"), []string{"f Makefile:2 yes"}},
	{"option switched off in the file", files("Makefile", "CONFIG_FOO = n\nobj-$(CONFIG_FOO) += f.o\n"), nil},
	{"names in variables", files("Makefile", "MODULE_NAME = x\nobj-m := $(MODULE_NAME).o\n${MODULE_NAME}-objs := $(addsuffix .o,main)\n", "main.c", ""), []string{"x Makefile:2 yes of main.c"}},
	{"what the name is, a person may say", files("Makefile", "NAME ?= x\nobj-m := $(NAME).o\n"), []string{"x Makefile:2 yes"}},
	{"name replaced on wish", files("Makefile", "NAME = x\nifneq ($(MY_NAME),)\nNAME = $(MY_NAME)\nendif\nobj-m := $(NAME).o\n"),
		[]string{"x Makefile:5 yes if $(MY_NAME) is empty", "? Makefile:5: what $(MY_NAME).o is, only make or a kernel can tell"}},
	{"kbuild part", files("Makefile", "ifneq ($(KERNELRELEASE),)\nobj-m := a.o\nelse\nobj-m := wrong.o\nall:\n\tmake -C /x M=$(PWD)\nendif\n"), []string{"a Makefile:2 yes"}},
	{"kbuild part behind ifdef", files("Makefile", "ifndef KERNELRELEASE\nobj-m := wrong.o\nelse\nobj-m := a.o\nendif\n"), []string{"a Makefile:4 yes"}},
	{"a switch", files("Makefile", "LIST := a.o\nifeq ($(EXTRA),1)\nLIST += b.o\nendif\nobj-m := $(LIST)\n"),
		[]string{"a Makefile:5 yes", "b Makefile:5 no if $(EXTRA) = 1"}},
	{"two sides of a switch", files("Makefile", "ifeq ($(OLD),1)\nobj-m := a.o\nelse ifeq ($(OLD),2)\nobj-m := b.o\nelse\nobj-m := c.o\nendif\n"),
		[]string{"a Makefile:2 no if $(OLD) = 1", "b Makefile:4 no if $(OLD) != 1 && $(OLD) = 2", "c Makefile:6 yes if $(OLD) != 1 && $(OLD) != 2"}},
	{"on both sides of a switch", files("Makefile", "ifdef DEBUG\nobj-m := a.o\nelse\nobj-m := a.o\nendif\n"), []string{"a Makefile:4 yes"}},
	{"nested options", files("Makefile", "ifneq ($(CONFIG_NET),)\nifdef CONFIG_INET\nobj-m += a.o\nendif\nendif\n"),
		[]string{"a Makefile:3 depends if CONFIG_NET && CONFIG_INET"}},
	{"without an option", files("Makefile", "ifeq ($(CONFIG_NET),)\nobj-m += a.o\nendif\nifeq ($(CONFIG_X),y)\nobj-m += b.o\nendif\n"),
		[]string{"a Makefile:2 depends if !CONFIG_NET", "b Makefile:5 depends if $(CONFIG_X) = y"}},
	{"directories", files("Kbuild", "obj-m += a/ b/\nobj-$(CONFIG_C) += c/\nobj-y += d/\nsubdir-m := e\n",
		"a/Makefile", "obj-m := a.o", "b/Kbuild", "obj-m := deep/\n", "b/deep/Kbuild", "obj-m := bb.o", "c/Kbuild", "obj-m := c.o", "d/Kbuild", "obj-m := d.o\nobj-y := builtin.o", "e/Kbuild", "obj-m := e.o"),
		[]string{"a/a a/Makefile:1 yes", "b/deep/bb b/deep/Kbuild:1 yes", "c/c c/Kbuild:1 depends if CONFIG_C", "d/d d/Kbuild:1 yes", "e/e e/Kbuild:1 yes"}},
	{"an object in a directory", files("Kbuild", "obj-m := src/x.o\nsrc/x-objs := src/y.o\n", "src/x.c", ""), []string{"src/x Kbuild:1 yes of src/x.c"}},
	{"exported to directories", files("Kbuild", "export NAMES := p.o q.o\nobj-m := a/\n", "a/Kbuild", "obj-m := $(NAMES)\n"), []string{"a/p a/Kbuild:1 yes", "a/q a/Kbuild:1 yes"}},
	{"not exported", files("Kbuild", "NAMES := p.o\nobj-m := a/\n", "a/Kbuild", "obj-m := $(NAMES)\n"),
		[]string{"? a/Kbuild:1: what $(NAMES) is, only make or a kernel can tell"}},
	{"directories to which nothing leads", files("Makefile", "all:\n\tmake -C b\n", "b/Makefile", "obj-m := b.o\n", "a/Makefile", "obj-m := a.o\n", ".git/Makefile", "obj-m := no.o"),
		[]string{"a/a a/Makefile:1 yes M=a", "b/b b/Makefile:1 yes M=b"}},
	{"includes", files("Kbuild", "include $(src)/list.mk\n-include $(src)/missing.mk\n", "list.mk", "obj-m := a.o\n"), []string{"a list.mk:1 yes"}},
	{"includes by M", files("a/Kbuild", "include $(M)/list.mk\ninclude list.mk", "a/list.mk", "obj-m += a.o\n"), []string{"a/a a/list.mk:1 yes M=a"}},
	{"includes by the file's own place", files("a/Kbuild", "TOP := $(dir $(lastword $(MAKEFILE_LIST)))/..\ninclude $(TOP)/list.mk\n", "list.mk", "obj-m := x.o\n"), []string{"a/x list.mk:1 yes M=a"}},
	{"an include that is not there", files("Kbuild", "include $(src)/no.mk\nobj-$(build_x) += x.o\n"),
		[]string{"x Kbuild:2 depends if $(build_x) = m", "? Kbuild:1: /@tree@/no.mk is not there"}},
	{"what a shell prints", files("Kbuild", "obj-m := $(shell [ $(VERSION) -gt 4 ] && echo new.o || echo old.o) a.o\n"),
		[]string{"a Kbuild:1 yes", "? Kbuild:1: what $(shell [ $(VERSION) -gt 4 ] && echo new.o || echo old.o) is, only make or a kernel can tell (new old)"}},
	{"eval", files("Kbuild", "define M\nobj-m += $(1).o\nendef\n$(eval $(call M,a))\n"), []string{"? Kbuild:4: $(eval $(call M,a)) is not followed"}},
	{"call and foreach", files("Kbuild", "mod = $(1).o\nobj-m := $(foreach x,a b,$(call mod,$(x)))\n"), []string{"a Kbuild:2 yes", "b Kbuild:2 yes"}},
	{"functions", files("Kbuild", "OLD = x.c\nSRC := $(wildcard $(src)/m_*.c)\nobj-m := $(patsubst %.c,%.o,$(notdir $(SRC))) $(filter-out b.o,a.o b.o) $(OLD:.c=.o) $(NO:.c=.o)\n", "m_1.c", "", "m_2.c", ""),
		[]string{"m_1 Kbuild:3 yes of m_1.c", "m_2 Kbuild:3 yes of m_2.c", "a Kbuild:3 yes", "x Kbuild:3 yes",
			"? Kbuild:3: what $(patsubst %.c,%.o,$(NO)) is, only make or a kernel can tell"}},
	{"if, or, and", files("Kbuild", "obj-m := $(if $(A),a.o,b.o) $(if yes,c.o) $(or ,d.o) $(and x,e.o)\n"),
		[]string{"b Kbuild:1 yes if $(A) is empty", "a Kbuild:1 no if $(A) is set", "c Kbuild:1 yes", "d Kbuild:1 yes", "e Kbuild:1 yes"}},
	{"neither object nor directory", files("Kbuild", "obj-m := a b.ko\n"),
		[]string{"? Kbuild:1: a is neither an object (.o) nor a directory (/)", "? Kbuild:1: b.ko is neither an object (.o) nor a directory (/)"}},
	{"out of the tree", files("Kbuild", "obj-m := ../../x.o ../y/ /etc/\n"),
		[]string{"? Kbuild:1: ../../x.o is outside of the tree", "? Kbuild:1: ../y/ is outside of the tree", "? Kbuild:1: /etc/ is outside of the tree"}},
	{"no such directory", files("Kbuild", "obj-m := sub/\n"), []string{"? Kbuild:1: sub/ has neither a Kbuild nor a Makefile"}},
	{"comments, tabs and blanks", files("Makefile", "# obj-m := no.o\nifneq ($(KERNELRELEASE),)\n\tobj-m\t:=\ta.o # b.o\n\tobj-m += c\\#.o\nendif\nall:\n\tobj-m := no.o\n"),
		[]string{"a Makefile:3 yes", "c# Makefile:4 yes"}},
	{"crlf", files("Makefile", "obj-m := a.o\r\nobj-m += \\\r\n b.o\r\n"), []string{"a Makefile:1 yes", "b Makefile:2 yes"}},
	{"an odd parenthesis", files("Makefile", "ifneq ($CONFIG_64BIT),)\n\tobj-m := a.o\nendif\n"), []string{"a Makefile:2 yes"}},
	{"quoted comparison", files("Makefile", "ifeq \"$(A)\" \"\"\nobj-m := a.o\nendif\nifneq 'x' 'x'\nobj-m += no.o\nendif\n"), []string{"a Makefile:2 yes if $(A) is empty"}},
	{"undefine and override", files("Makefile", "override X := a.o\nobj-m := $(X)\nundefine X\nobj-m += b.o\n"), []string{"a Makefile:2 yes", "b Makefile:4 yes"}},
	{"unbalanced", files("Makefile", "endif\nelse\nobj-m := a.o\nifdef X\n"),
		[]string{"a Makefile:3 yes", "? Makefile:1: an endif without an if", "? Makefile:2: an else without an if", "? Makefile:4: an if has no endif"}},
	{"itself", files("Makefile", "X = $(X)\nobj-m := a.o $(X)\n"), []string{"a Makefile:2 yes", "? Makefile:2: what $(X) is, only make or a kernel can tell"}},
	{"itself included", files("Makefile", "include $(src)/Makefile\nobj-m := a.o\n"), []string{"a Makefile:2 yes", "? Makefile:1: files include one another without end"}},
	{"directories in a circle", files("a/Makefile", "obj-m := ../a/\n"), nil},
	{"nothing", files("README", "x"), nil},
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, tt := range treeCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tree, err := ReadFS(tt.files)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, show(tree)); diff != "" {
				t.Errorf("Read: -want +got\n%s", diff)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	tree, err := ReadFS(files("Kbuild", "ifneq ($(CONFIG_A),)\nobj-$(CONFIG_B) += x.o\nendif\nifndef CONFIG_C\nobj-m += y.o\nendif\nobj-$(CONFIG_A) += z.o\nobj-$(CONFIG_D) += z.o\n"+
		"ifeq ($(MORE),1)\nifndef LESS\nobj-m += w.o\nendif\nendif\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][][]string{
		"x": {{"CONFIG_A", "CONFIG_B"}, {"CONFIG_B"}, nil, nil}, "y": {nil, nil, {"CONFIG_C"}, nil},
		"z": {nil, nil, nil, {"one of several ways"}}, "w": {nil, nil, nil, {"$(MORE) = 1"}}}
	got := map[string][][]string{}
	for _, m := range tree.Modules {
		got[m.Name] = [][]string{m.Config, m.Selected, m.Unset, m.Other}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conditions: -want +got\n%s", diff)
	}
}

func TestTopAndRoots(t *testing.T) {
	t.Parallel()
	tree, err := ReadFS(files("Makefile", "obj-m := a.o\n", "x/Makefile", "obj-m := b.o c.o\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(tree.Top()); got != 1 {
		t.Errorf("Top() has %d modules; want 1", got)
	}
	if got := len(tree.Below("x")); got != 2 {
		t.Errorf("Below(x) has %d modules; want 2", got)
	}
	if diff := cmp.Diff([]string{"", "x"}, tree.Roots()); diff != "" {
		t.Errorf("Roots(): -want +got\n%s", diff)
	}
}

// What leads out of a tree is not followed, and no device is opened.
func TestHostile(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "Makefile"), []byte("obj-m := secret.o\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, target := range map[string]string{"Kbuild": "/dev/zero", "Makefile": filepath.Join(outside, "Makefile"), "sub": outside} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	modules, err := Modules(dir)
	if err != nil || len(modules) != 0 {
		t.Errorf("Modules = %v, %v; want none, nil", modules, err)
	}
	if _, err := Modules(filepath.Join(dir, "no")); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("Modules of nothing: %v; want an error", err)
	}
}

// Trees that ask for endless work end soon.
func TestBounds(t *testing.T) {
	t.Parallel()
	var doubling, switches strings.Builder
	doubling.WriteString("A0 = x x\n")
	for i := 1; i < 50; i++ {
		fmt.Fprintf(&doubling, "A%d = $(A%d) $(A%d)\n", i, i-1, i-1)
	}
	doubling.WriteString("obj-m := $(A49)\n")
	for i := range 200 {
		fmt.Fprintf(&switches, "ifdef S%d\nX := $(X)a\nendif\n", i)
	}
	switches.WriteString("obj-m := $(X).o\n")
	for name, fsys := range map[string]fstest.MapFS{
		"doubling":     files("Kbuild", doubling.String()),
		"switches":     files("Kbuild", switches.String()),
		"long line":    files("Kbuild", "obj-m := "+strings.Repeat("a.o ", 200_000)),
		"too long":     files("Kbuild", strings.Repeat("# x\n", maxFile)),
		"deep":         files("Kbuild", "obj-m := "+strings.Repeat("$(if 1,", 10_000)),
		"deeper names": files("Kbuild", "X = $($($($($(X)))))\nobj-m := $(X)\n"),
		"foreach":      files("Kbuild", "L := a b c d e f g h i j\nobj-m := $(foreach a,$(L),$(foreach b,$(L),$(foreach c,$(L),$(foreach d,$(L),$(foreach e,$(L),$(foreach f,$(L),x))))))\n"),
		"ifs":          files("Kbuild", strings.Repeat("ifdef X\n", 20_000)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _ = ReadFS(fsys)
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, tt := range treeCases {
		for name, file := range tt.files {
			if strings.HasSuffix(name, "Kbuild") || strings.HasSuffix(name, "Makefile") {
				f.Add(file.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := ReadFS(fstest.MapFS{"Makefile": {Data: data}, "a.c": {}, "sub/Kbuild": {Data: data}})
		if err != nil {
			return
		}
		for _, m := range tree.Modules {
			if m.Name == "" || strings.Contains(m.Name, "/") || m.Dir == ".." || strings.HasPrefix(m.Dir, "../") || m.File == "" || m.Line < 1 {
				t.Errorf("module %+v", m)
			}
		}
	})
}
