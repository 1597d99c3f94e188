package makefile

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// showOwn is: file, goal, (bare), each call as M=ROOT settings: goals, then the variables.
func showOwn(o *Own) (lines []string) {
	first := o.File
	if o.Goal != "" {
		first += " " + o.Goal
	}
	if o.Bare {
		first += " bare"
	}
	lines = append(lines, first)
	for _, c := range o.Calls {
		l := fmt.Sprintf("%s:%d M=%s", c.File, c.Line, c.Root)
		if c.Outside {
			l += "?"
		}
		lines = append(lines, strings.TrimSpace(l+" "+strings.Join(c.Set, " ")+" : "+strings.Join(c.Goals, " ")))
	}
	for _, v := range o.Directory {
		lines = append(lines, "directory "+v)
	}
	for _, v := range o.Release {
		lines = append(lines, "release "+v)
	}
	if o.Prepares {
		lines = append(lines, "prepares")
	}
	for _, e := range o.Exports {
		lines = append(lines, "exports "+e)
	}
	for _, u := range o.Running {
		lines = append(lines, fmt.Sprintf("running %s:%d", u.File, u.Line))
	}
	return lines
}

func TestOwn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  []string
	}{
		{"none", files("Kbuild", "obj-m := a.o"), []string{""}},
		{"usual", files("Makefile", "KVER ?= $(shell uname -r)\nKDIR ?= /lib/modules/$(KVER)/build\nobj-m := a.o\nall:\n\t$(MAKE) -C $(KDIR) M=$(CURDIR) modules\n"),
			[]string{"Makefile", "Makefile:5 M=  : modules", "directory KDIR", "release KVER"}},
		{"only where KERNELRELEASE is not set", files("Makefile", "ifneq ($(KERNELRELEASE),)\nobj-m := a.o\nelse\nKDIR := /lib/modules/`uname -r`/build\nall:\n\t@make -C \"$(KDIR)\" M=$$PWD\nendif\n"),
			[]string{"Makefile bare", "Makefile:6 M=  :", "directory KDIR"}},
		{"goal behind another", files("Makefile", "help:\n\techo x\nmodules: prepare\n\t+$(MAKE) -C ${K} SUBDIRS=`pwd`/src CONFIG_A=m modules\nprepare:\n"),
			[]string{"Makefile modules", "Makefile:4 M=src CONFIG_A=m : modules", "directory K"}},
		{"directories", files("Makefile", "DIRS = a b\nall: $(DIRS)\n$(DIRS):\n\t$(MAKE) -C $@ V=1\nb: a\n", "a/Makefile", "all:\n\tmake -C $(KERNEL) M=$(PWD) modules\n", "b/makefile", "all:\n\tcd sub && $(MAKE) modules\n", "b/sub/Makefile", "modules:\n\tmake --directory=$(KERNEL) KBUILD_EXTMOD=$(CURDIR)\n"),
			[]string{"Makefile", "a/Makefile:2 M=a  : modules", "b/sub/Makefile:2 M=b/sub  :", "directory KERNEL"}},
		{"the running kernel", files("Makefile", "all:\n\tmake -C /lib/modules/$(shell uname -r)/build M=$(PWD)\n"), []string{"Makefile", "Makefile:2 M=  :", "running Makefile:2"}},
		{"release only", files("Makefile", "R = $(shell uname -r)\nall:\n\tmake -C /lib/modules/$(R)/build M=$(PWD)\n"), []string{"Makefile", "Makefile:3 M=  :", "release R"}},
		{"outside", files("Makefile", "all:\n\tmake -C $(K) M=/usr/src/x\n"), []string{"Makefile", "Makefile:2 M=?  :", "directory K"}},
		{"through itself", files("Makefile", "all:\n\t$(MAKE) real; true\nreal: real.ko\n%.ko: %.c\n\tA=1 $(MAKE) -C $(K) M=$(PWD) $@\nreal.c:\n"),
			[]string{"Makefile", "Makefile:5 M=  : real.ko", "directory K"}},
		{"in a circle", files("Makefile", "all: all\n\t$(MAKE) all\n\t$(MAKE) -C .\n\t$(MAKE) -C ..\n\t$(MAKE) -C sub\n", "sub/Makefile", "x:\n\tmake -C ..\n"), []string{"Makefile"}},
		{"prepares", files("Makefile", "export CONFIG_X = m\nall: gen.h\n\t@echo now\n\tmake -C $(K) M=$(PWD)\n\tcp x.ko y\ngen.h:\n\t./gen > $@\n"),
			[]string{"Makefile", "Makefile:4 M=  :", "directory K", "prepares", "exports CONFIG_X=m"}},
		{"exports in the part for people", files("Makefile", "ifneq ($(KERNELRELEASE),)\nobj-$(CONFIG_X) += x.o\nelse\nexport CONFIG_X = m\nCONFIG_Y = m\nall:\n\tmake -C $(K) M=$(PWD)\nendif\n"),
			[]string{"Makefile bare", "Makefile:7 M=  :", "directory K", "exports CONFIG_X=m"}},
		{"no rule", files("Makefile", "obj-m := a.o\n"), []string{"Makefile"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, showOwn(newReader(tt.files).own())); diff != "" {
				t.Errorf("ReadOwn: -want +got\n%s", diff)
			}
		})
	}
}

func TestOwnOfNothing(t *testing.T) {
	t.Parallel()
	if _, err := ReadOwn(t.TempDir() + "/no"); err == nil {
		t.Error("ReadOwn of nothing: want an error")
	}
	o, err := ReadOwn(t.TempDir())
	if err != nil || o.File != "" {
		t.Errorf("ReadOwn of an empty directory = %+v, %v; want no file, no error", o, err)
	}
}

func TestIsRelease(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"$(shell uname -r)": true, "`uname -r`": true, "$(shell  uname  -r )": true, `"$(shell uname -r)"`: true, "$(uname -r)": true,
		"$(shell uname -m)": false, "uname -r": false, "": false, "/lib/modules/$(shell uname -r)": false,
	} {
		if got := isRelease(s); got != want {
			t.Errorf("isRelease(%q) = %v; want %v", s, got, want)
		}
	}
}

func FuzzOwn(f *testing.F) {
	f.Add([]byte("all:\n\t$(MAKE) -C $(KDIR) M=$(PWD)/src A=m modules\n"))
	f.Add([]byte("D=a b\nall: $(D)\n$(D):\n\tcd $@ && make \"x y\" `pwd` || true; make -C sub\n%.ko: %.c\n\tmake -C /lib/modules/`uname -r`/build M=.\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newReader(fstest.MapFS{"Makefile": {Data: data}, "sub/Makefile": {Data: data}})
		for _, c := range r.own().Calls {
			if c.Root == ".." || strings.HasPrefix(c.Root, "../") || strings.HasPrefix(c.Root, "/") {
				t.Errorf("call %+v", c)
			}
		}
	})
}
