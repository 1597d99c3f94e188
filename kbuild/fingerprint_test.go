package kbuild

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFingerprintChanges(t *testing.T) {
	for _, c := range slices.Concat(sourceChanges(), recipeChanges(), kernelChanges(), compilerChanges(), harmless()) {
		t.Run(c.name, func(t *testing.T) {
			in := newInputs(t)
			store := &memory{}
			before := in.by(t, later(store))
			if again := in.by(t, later(store)); again != before {
				t.Fatalf("the same inputs: %s", before.Changed(again))
			}
			c.do(t, in)
			if got := before.Changed(in.by(t, later(store))); got != c.want {
				t.Errorf("with what was kept: %q; want %q", got, c.want)
			}
			if got := before.Changed(in.by(t, &Fingerprinter{})); got != c.want {
				t.Errorf("Changed = %q; want %q", got, c.want)
			}
		})
	}
}

// Each field of a Recipe either changes what is built or does not: who adds
// one must say which.
func TestFingerprintOfEachField(t *testing.T) {
	t.Parallel()
	harmless := []string{
		"Skipped", "RebuildOnDepends", "SetsExtraSymbols", "PostAdd", "PreInstall", "PostInstall", "PostRemove",
		"Autoinstall", "NoWeakModules", "RemakeInitrd", "ModprobeOnInstall", "Modules.Index",
	}
	digest := func(r Recipe) string {
		d, err := recipeDigest(r, "", nil)
		ok(t, err)
		return d
	}
	base := Recipe{Modules: []Module{{}}}
	eachField("", reflect.TypeFor[Recipe](), func(name string, set func(reflect.Value)) {
		r := Recipe{Modules: []Module{{}}}
		set(reflect.ValueOf(&r).Elem())
		if changes := digest(r) != digest(base); changes == slices.Contains(harmless, name) {
			t.Errorf("Recipe.%s changes the fingerprint: %v; want %v", name, changes, !changes)
		}
	})
}

// eachField calls fn for each field of a struct, with a function that gives it
// another value.
func eachField(prefix string, typ reflect.Type, fn func(name string, set func(reflect.Value))) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		name := prefix + f.Name
		field := func(set func(reflect.Value)) func(reflect.Value) {
			return func(v reflect.Value) { set(v.Field(i)) }
		}
		switch {
		case f.Type == reflect.TypeFor[[]Module]():
			eachField(name+".", f.Type.Elem(), func(name string, set func(reflect.Value)) {
				fn(name, field(func(v reflect.Value) { set(v.Index(0)) }))
			})
		case f.Type.Kind() == reflect.Struct:
			eachField(name+".", f.Type, func(name string, set func(reflect.Value)) { fn(name, field(set)) })
		default:
			fn(name, field(other))
		}
	}
}

func other(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("other")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(7)
	case reflect.Slice:
		e := reflect.New(v.Type().Elem()).Elem()
		if e.Kind() == reflect.String {
			e.SetString("other")
		}
		v.Set(reflect.Append(v, e))
	default:
		panic("no other " + v.Kind().String())
	}
}

func TestWithoutJobs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ command, want string }{
		{"make -j8 KERNELRELEASE=K", "make KERNELRELEASE=K"},
		{"make -j KERNELRELEASE=K", "make KERNELRELEASE=K"},
		{"'make' -C x -j 4 all", "'make' -C x all"},
		{"make all --jobs=4", "make all "},
		{"make --jobs all", "make all"},
		{"make -j2 -j4 all", "make all"},
		{"make -C /x-j4/y all", "make -C /x-j4/y all"},
		{"make --jobs 4 all", "make all"},
		{"make -jobserver", "make -jobserver"},
		{"make -j$(nproc)", "make -j$(nproc)"},
		{"make all", "make all"},
	} {
		if got := withoutJobs(c.command); got != c.want {
			t.Errorf("withoutJobs(%q) = %q; want %q", c.command, got, c.want)
		}
	}
}

func TestFingerprintString(t *testing.T) {
	t.Parallel()
	for _, f := range []Fingerprint{
		{},
		{Source: "a", Recipe: "b", Kernel: "c", Compiler: version12},
		{Source: "a", Recipe: "b", Kernel: "c", Compiler: "x compiler=y source=z"},
		{Source: "a", Recipe: "b", Kernel: "c"},
	} {
		got, parsed := ParseFingerprint(f.String())
		if got != f || parsed != (f != Fingerprint{}) {
			t.Errorf("ParseFingerprint(%q) = %v, %v", f, got, parsed)
		}
	}
	for _, s := range []string{
		"", "rubbish", "1", "1 source=a", "1 source=a recipe=b kernel=c", "0 source=a recipe=b kernel=c compiler=d", "2 source=a recipe=b kernel=c compiler=d",
		" 1 source=a recipe=b kernel=c compiler=d", "1 source=a recipe=b kernel=c compiler=d\n", "1 source= recipe= kernel= compiler=",
	} {
		if got, parsed := ParseFingerprint(s); parsed {
			t.Errorf("ParseFingerprint(%q) = %v, true; want false", s, got)
		}
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"gcc (X) 1": "gcc (X) 1", " a\tb\r\n": "a b", "a\x1b[31mb": "a [31mb", "": "", "\xff": "\uFFFD", strings.Repeat("é", 150): strings.Repeat("é", 100),
	} {
		if got := oneLine(in); got != want {
			t.Errorf("oneLine(%q) = %q; want %q", in, got, want)
		}
	}
}

func TestFingerprintErrors(t *testing.T) {
	in := newInputs(t)
	p := &Fingerprinter{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := in.try(ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("Of = %v with a context that has ended; want that", err)
	}
	if got, err := in.try(t.Context(), p); err != nil || got != in.by(t, &Fingerprinter{}) {
		t.Errorf("Of = %+v, %v after a context that had ended; want it forgotten", got, err)
	}
	ok(t, os.RemoveAll(in.source))
	_, err := in.try(t.Context(), p)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "source of good/1.0: ") {
		t.Errorf("Of without a source = %v; want that named", err)
	}
}

// Without headers there is a fingerprint, too: a failure that is remembered
// with it is over when they come.
func TestFingerprintWithoutHeaders(t *testing.T) {
	in := newInputs(t)
	in.compiler(t, "gcc", version12)
	headers := in.headers("")
	ok(t, os.Rename(headers, headers+".off"))
	before := in.by(t, &Fingerprinter{})
	ok(t, os.Rename(headers+".off", headers))
	if got := before.Changed(in.by(t, &Fingerprinter{})); got != kernelChanged {
		t.Errorf("Changed when headers have come = %q; want %q", got, kernelChanged)
	}
}

// Pipes and the like are no error, and do not hang us: the build tells.
func TestFingerprintOfStrangeFiles(t *testing.T) {
	in := newInputs(t)
	before := in.by(t, &Fingerprinter{})
	mkfifo(t, inSource(in, "pipe"))
	ok(t, os.Remove(in.headers("Module.symvers")))
	mkfifo(t, in.headers("Module.symvers"))
	if got := before.Changed(in.by(t, &Fingerprinter{})); got != sourceChanged+"; "+kernelChanged {
		t.Errorf("Changed = %q", got)
	}
}

// What many builds share is looked at once.
func TestFingerprintConcurrently(t *testing.T) {
	in := newInputs(t)
	store := &memory{}
	p := later(store)
	want := in.by(t, &Fingerprinter{})
	ok(t, os.Remove(filepath.Join(in.dir, "calls")))
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			if got, err := in.try(t.Context(), p); err != nil || got != want {
				t.Errorf("Of = %v, %v; want %v", got, err, want)
			}
		})
	}
	group.Wait()
	if calls := read(t, filepath.Join(in.dir, "calls")); calls != "x\n" {
		t.Errorf("the compiler was asked %d times; want once", strings.Count(calls, "x"))
	}
	if diff := cmp.Diff(map[string]int{"source": 1, "kernel": 1}, store.asked); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}
