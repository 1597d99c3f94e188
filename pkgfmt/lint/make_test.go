package lint

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/conf"
)

// readMakefile reads a Makefile for a call of make with variables.
func readMakefile(t *testing.T, text string, command, env map[string]string, kbuild bool) *makeReader {
	dir := t.TempDir()
	for name, text := range map[string]string{"Makefile": text, "common.mk": "COMMON := yes\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tr := &tree{dir: dir, entries: []entry{{path: "Makefile"}, {path: "common.mk"}}}
	tr.index()
	left := expansionLimit
	vars := &makeVars{command: map[string]string{"CURDIR": dir}, env: env, file: map[string]makeVar{}, kbuild: kbuild, left: &left}
	for name, value := range command {
		vars.command[name] = value
	}
	r := &makeReader{makeVars: vars, tree: tr, exported: map[string]bool{}, sure: true, sink: func(string, makeValue, string, int) {}}
	r.read("Makefile")
	return r
}

// TestMakeVariables reads Makefiles and asks for V: its text, ? where that is
// not known, and ! where it depends on uname. The texts are what GNU make 4.3
// gives, but for the marks.
func TestMakeVariables(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ makefile, want string }{
		{"V = a", "a"},
		{"V := a # comment", "a "},
		{"V ::= a", "a"},
		{"V = a\\\n  b", "a b"},
		{"A = b\nV = $(A)${A}$A\nA = c", "ccc"},
		{"A = b\nV := $(A)\nA = c", "b"},
		{"V ?= a\nV ?= b", "a"},
		{"V = a\nV += b", "a b"},
		{"V := a\nV += b", "a b"},
		{"N = V\n$(N) = c", "c"},
		{"export V = a", "a"},
		{"V = $$a", "$a"},
		{"V = $(NOT_SET)", ""},
		{"V = $(X)", "given"},
		{"X = file\nV = $(X)", "given"},
		{"override X = file\nV = $(X)", "file"},
		{"E = file\nV = $(E)", "file"},
		{"E ?= file\nV = $(E)", "environment"},
		{"V = $(wildcard *)", "?"},
		{"V = $(shell uname -r)", "?!"},
		{"V = $(shell uname -a)", "?!"},
		{"V = $(shell uname -m)", "?"},
		{"V = `uname -r`", "`uname -r`?!"},
		{"V != uname -r", "?!"},
		{"K = $(shell uname -r)\nV = /lib/$(K)/x", "/lib/?!"},
		{"K := $(shell uname -r)\nV := $(subst a,b,$(K))", "?!"},
		{"K := $(shell uname -r)\nK := 6\nV := $(K)", "6"},
		{"X := $(shell uname -r)\nV := $(X)", "given"},
		{"ifdef X\nV = yes\nelse\nV = no\nendif", "yes"},
		{"ifndef X\nV = yes\nelse\nV = no\nendif", "no"},
		{"ifdef NOT_SET\nV = yes\nelse\nV = no\nendif", "no"},
		{"ifeq ($(X),given)\nV = yes\nendif", "yes"},
		{"ifeq (\"$(X)\", \"given\")\nV = yes\nendif", "yes"},
		{"ifeq \"$(X)\" 'given'\nV = yes\nendif", "yes"},
		{"ifeq ($(X),)\nV = no\nelse ifeq ($(E),environment)\nV = yes\nelse\nV = last\nendif", "yes"},
		{"ifneq ($(X),)\nifeq ($(E),)\nV = no\nelse\nV = yes\nendif\nendif", "yes"},
		{"ifneq ($(X),given)\nifeq ($(E),environment)\nV = no\nendif\nelse\nV = yes\nendif", "yes"},
		{"define V\nifeq\nendef\nV = after", "after"},
		{"include common.mk\nV = $(COMMON)", "yes"},
		{"include $(CURDIR)/common.mk\nV = $(COMMON)", "yes"},
		{"-include gone.mk\nV = here", "here"},
		{"all: V = of a target\nV = a", "a"},
	} {
		r := readMakefile(t, tt.makefile, map[string]string{"X": "given"}, map[string]string{"E": "environment"}, false)
		value := r.reference("V", origin{}, 0)
		got := strings.ReplaceAll(value.text, unknown, "")
		if strings.HasPrefix(value.text, "/lib/") {
			got = "/lib/"
		}
		if !value.known {
			got += "?"
		}
		if value.from != nil {
			got += "!"
		}
		if got != tt.want {
			t.Errorf("%q: V = %q; want %q", tt.makefile, got, tt.want)
		}
	}
}

func TestDefaultGoal(t *testing.T) {
	t.Parallel()
	for makefile, want := range map[string]string{
		"a: b\nb:":                                           "a",
		".PHONY: x\n%.o: %.c\n\tcc\nb a:\n":                  "b",
		".DEFAULT_GOAL := c\na:\nc:":                         "c",
		"ifdef KERNELRELEASE\nobj-m := x.o\nelse\na:\nendif": "a",
		"A = 1\n\techo no rule":                              "",
		"a := b\nc ::= d\nx: ; echo":                         "x",
		"T = all\n$(T): b\n":                                 "all",
	} {
		if got := readMakefile(t, makefile, nil, nil, false).defaultGoal(); got != want {
			t.Errorf("%q: default goal %q; want %q", makefile, got, want)
		}
	}
}

// TestMakeCalls reads commands for the calls of make in them.
func TestMakeCalls(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		"make":                                  "in . []",
		"make all X=1 'Y=a b'":                  "in . [all] X=1 Y=a b",
		"'make' -j4 all":                        "in . [all]",
		"make -j 4 all":                         "in . [all]",
		"X=1 make":                              "in . [] $X=1",
		"env X=1 make Z=2":                      "in . [] $X=1 Z=2",
		"make -C sub":                           "in sub []",
		"make -Csub --directory=deep":           "in sub/deep []",
		"cd sub && make":                        "in sub []",
		"cd /elsewhere; make":                   "unknown []",
		"make -C ../out":                        "unknown []",
		"make -f Makefile.dkms":                 "in . [] -f Makefile.dkms",
		"make -C /var/lib/dkms/x/1/build/src a": "in src [a]",
		"make -C /lib/modules/REL/build M=/var/lib/dkms/x/1/build modules": "kbuild . [modules] M=/var/lib/dkms/x/1/build",
		"make -C /lib/modules/REL/build M=$PWD/src":                        "kbuild src [] M=./src",
		"make -C /lib/modules/REL/build M=$(pwd)":                          "kbuild . [] M=.",
		"make -C /lib/modules/REL/build SUBDIRS=/usr/src/x-1/drv":          "kbuild drv [] SUBDIRS=/usr/src/x-1/drv",
		"make -C $DIR":                          "unknown []",
		"make -C $KDIR M=/usr/src/x-1":          "kbuild . [] M=/usr/src/x-1",
		"make -C /lib/modules/REL/build":        "kbuild unknown []",
		"./configure && make -C a; make -C b":   "in a []; in b []; and others",
		"if true; then make a; else make b; fi": "in . [a]; in . [b]",
		"echo make":                             "",
	} {
		command = strings.ReplaceAll(command, "REL", "6.1")
		l := &linter{tree: &tree{dir: "/tree"}, confPath: "dkms.conf"}
		c := &conf.Conf{PackageName: "x", PackageVersion: "1"}
		r := l.makeCalls(command, answer{sample: sample{"6.1", "x86_64"}, conf: c})
		var got []string
		for _, call := range r.calls {
			got = append(got, described(call))
		}
		if r.other {
			got = append(got, "and others")
		}
		if diff := cmp.Diff(want, strings.Join(got, "; ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", command, diff)
		}
	}
}

// described is a call in words.
func described(c makeCall) string {
	text := "in " + c.dir
	if c.kbuild {
		text = "kbuild " + c.dir
	}
	if !c.known {
		text = strings.Replace(strings.Replace(text, "in "+c.dir, "unknown", 1), "kbuild "+c.dir, "kbuild unknown", 1)
	}
	text += fmt.Sprint(" ", c.goals)
	for _, name := range []string{"M", "SUBDIRS", "X", "Y", "Z"} {
		if v, ok := c.vars[name]; ok {
			text += " " + name + "=" + strings.NewReplacer(unknown, "?", here, ".").Replace(v)
		}
		if v, ok := c.env[name]; ok {
			text += " $" + name + "=" + v
		}
	}
	if c.file != "" {
		text += " -f " + c.file
	}
	return text
}

func TestNearest(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"BUILD_MODULE_NAME": "BUILT_MODULE_NAME", "BUILT_MODULE_NAMES": "BUILT_MODULE_NAME", "AUTO_INSTALL": "AUTOINSTALL", "autoinstall": "AUTOINSTALL",
		"DEST_MODULE_LOCATON": "DEST_MODULE_LOCATION", "POST_INSTAL": "POST_INSTALL", "BUILD_EXCLUSIVE_KERNELS": "BUILD_EXCLUSIVE_KERNEL",
		"MAKEARGS": "", "PATCHES": "", "VERSION": "", "MAKE_OPTS": "", "KDIR": "", "module": "", "PACKAGE": "", strings.Repeat("A", 1000): "",
	} {
		if got := nearest(name); got != want {
			t.Errorf("nearest(%q) = %q; want %q", name, got, want)
		}
	}
}

func TestPartOfRelease(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"5.15": true, "-generic": true, "\x026.1": true, "\x02generic": false, "\x02\x03": false, "a b": false, "": true, "\x02": true, "amd64\x03": true, ">= 5": false,
	} {
		if got := partOfRelease(s); got != want {
			t.Errorf("partOfRelease(%q) = %v; want %v", s, got, want)
		}
	}
}
