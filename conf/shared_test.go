package conf

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/system"
)

// loaded is what a dkms.conf makes of POST_ADD and prints, in dir, where it runs.
func loaded(t *testing.T, r Request) (postAdd, output string) {
	t.Helper()
	c, err := Load(t.Context(), r, sampleKernel)
	if err != nil {
		t.Fatal(err)
	}
	return c.PostAdd, c.Output
}

// TestSharedAnswers changes between two evaluations what the first has asked about.
func TestSharedAnswers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		repeated   bool
	}{
		{"a program", "POST_ADD=$(ls state)\n", true},
		{"a pipeline", "POST_ADD=`find state -type f | sort | tail -n 1`\n", true},
		{"a path", "POST_ADD=$(/usr/bin/find state -name '[ab]')\n", true},
		{"what failed", "POST_ADD=$(ls state/b 2>/dev/null && echo yes || echo no)\n", true},
		{"what complained", "ls state/b\nPOST_ADD=x\n", true},
		{"what a file holds", "POST_ADD=$(cat state/a)\n", true},
		{"a builtin", "for f in state/*; do POST_ADD=$f; done\n", false},
		{"a program that starts others", "POST_ADD=$(find state -type f -exec echo {} +)\n", false},
		{"a program of the package's own", "POST_ADD=$(./list)\n", false},
		{"a program that may write", "POST_ADD=$(awk 'BEGIN { while ((getline l < \"state/a\") > 0) print l }')\n", false},
		{"what another may have changed", "awk 'BEGIN { }'; POST_ADD=$(ls state)\n", false},
		{"both outputs in one", "POST_ADD=$(ls state 2>&1 | tr '\\n' ' ')\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := sampleRequest(t, sampleHead+tt.text)
			state := filepath.Join(filepath.Dir(r.File), "state")
			write := func(name, text string) {
				t.Helper()
				if err := os.WriteFile(filepath.Join(filepath.Dir(r.File), name), []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Mkdir(state, 0o755); err != nil {
				t.Fatal(err)
			}
			write("list", "#!/bin/sh\nls state\n")
			write("state/a", "one\n")
			r.Shared = &Shared{}
			before, said := loaded(t, r)
			write("state/a", "two\n")
			write("state/b", "")
			after, saidAfter := loaded(t, r)
			if repeated := before == after && said == saidAfter; repeated != tt.repeated {
				t.Errorf("POST_ADD=%q %q, then %q %q; repeated: %v, want %v", before, said, after, saidAfter, repeated, tt.repeated)
			}
			r.Shared = &Shared{}
			fresh, saidFresh := loaded(t, r)
			r.Shared = nil
			if alone, saidAlone := loaded(t, r); alone != fresh || saidAlone != saidFresh || alone == before && saidAlone == said {
				t.Errorf("POST_ADD=%q %q of a new moment, %q %q without sharing; want the same, and not %q %q", fresh, saidFresh, alone, saidAlone, before, said)
			}
		})
	}
}

// TestSharedKernels asks for two kernels, one after the other, with and without sharing.
func TestSharedKernels(t *testing.T) {
	t.Parallel()
	if err := system.WithReadOnlyView(nil, func() error { return nil }); err != nil { // the files would write to our /tmp
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, text := range []string{
		"POST_ADD=$(cat <(echo $kernelver))\n",
		"grep -q '^6' <(echo $kernelver) && POST_ADD=six || POST_ADD=other\n",
		"echo $kernelver | tee /tmp/x >/dev/null; POST_ADD=$(cat /tmp/x)\n",
		"echo $kernelver | sed -n 'w /tmp/x'; POST_ADD=$(cat /tmp/x)\n",
		"echo $kernelver | sort -o /tmp/x; POST_ADD=$(cat /tmp/x)\n",
		"mkdir /tmp/d; touch /tmp/d/$kernelver; POST_ADD=$(find /tmp/d -type f)\n",
		"mkdir /tmp/d; cd /tmp; touch d/$kernelver; POST_ADD=$(ls d)\n",
		"ls /tmp/x 2>/dev/null || touch /tmp/x; ls /tmp/x >/dev/null && POST_ADD=yes || POST_ADD=no\n",
		"export K=$kernelver; POST_ADD=$(tr '\\0' '\\n' </proc/self/environ | grep ^K=)\n",
		"POST_ADD=$(echo $kernelver | cut -c1)\n",
		"POST_ADD=$(printf 'a\\nb\\nc\\n' | { read x; [ $kernelver = 6.1 ] && read y; cat; } | tr '\\n' ' ')\n",
		"echo $kernelver >f; POST_ADD=$(cat <f)\n",
		"POST_ADD=$(cat <<< $kernelver)\n",
		"ls /nonexistent; POST_ADD=$?\n",
		"POST_ADD=$(ls /nonexistent . 2>/dev/stdout | tr '\\n' ' ')\n",
		"for i in {1..300}; do cat dkms.conf || { POST_ADD=$?; break; }; done >/dev/null\n",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			r := sampleRequest(t, sampleHead+text)
			answers := func(shared *Shared) (all []string) {
				r.Shared = shared
				for _, release := range []string{"6.1", "5.9"} {
					k := sampleKernel
					k.Release = release
					c, err := Load(t.Context(), r, k)
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, c.PostAdd, c.Output)
				}
				return all
			}
			alone := answers(nil)
			if d := cmp.Diff(alone, answers(&Shared{})); d != "" {
				t.Errorf("POST_ADD and what was printed (-alone +shared):\n%s", d)
			}
		})
	}
}

// TestSharedMemory: of what is long nothing is remembered.
func TestSharedMemory(t *testing.T) {
	t.Parallel()
	var m memory
	for range 3 {
		if n, err := m.Write(make([]byte, askLimit/2)); n != askLimit/2 || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	if !m.full || m.text != nil {
		t.Errorf("%d bytes remembered, full %v; want none, true", len(m.text), m.full)
	}
}

// TestSharedInput: a repeated answer takes as much of the input as the program did.
func TestSharedInput(t *testing.T) {
	t.Parallel()
	r := sampleRequest(t, sampleHead+"POST_ADD=$(printf '%s\\n' one two three | { head -n 1 >/dev/null; read -r next; echo $next; })\n")
	alone, _ := loaded(t, r)
	r.Shared = &Shared{}
	for range 2 {
		if got, _ := loaded(t, r); got != alone {
			t.Errorf("POST_ADD=%q; want %q", got, alone)
		}
	}
}

// TestSharedAtOnce has two evaluations ask at the same time what can be answered once
// only: the second waits for the answer.
func TestSharedAtOnce(t *testing.T) {
	t.Parallel()
	r := sampleRequest(t, sampleHead+"POST_ADD=$(cat once)\n")
	once := filepath.Join(filepath.Dir(r.File), "once")
	if err := syscall.Mkfifo(once, 0o644); err != nil {
		t.Fatal(err)
	}
	r.Shared = &Shared{}
	var got [2]string
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() { got[i], _ = loaded(t, r) })
	}
	if err := os.WriteFile(once, []byte("told\n"), 0); err != nil { // when somebody reads
		t.Fatal(err)
	}
	all.Wait()
	if got != [2]string{"told", "told"} {
		t.Errorf("POST_ADD = %q; want the same answer for both", got)
	}
}

// TestSharedPartly has the second of two that ask at the same time ask for itself,
// since the first did not hear all.
func TestSharedPartly(t *testing.T) {
	t.Parallel()
	var s Shared
	_, known, tell := s.answer(t.Context(), question{1})
	if known {
		t.Fatal("nobody has asked, and there is an answer")
	}
	second := make(chan bool)
	go func() {
		_, known, tell := s.answer(t.Context(), question{1})
		if !known {
			tell(answer{stdout: []byte("late")}, true)
		}
		second <- known
	}()
	tell(answer{stdout: []byte("pa")}, false)
	if <-second {
		t.Error("a part of an answer is repeated")
	}
	ended, end := context.WithCancel(t.Context())
	s.answer(t.Context(), question{2})
	end()
	if _, known, _ := s.answer(ended, question{2}); known {
		t.Error("an answer is known that nobody has given")
	}
}

// TestSharedOverrides: overrides are those that were there when the first was asked
// for, and an /etc/dkms that cannot be listed hides none.
func TestSharedOverrides(t *testing.T) {
	t.Parallel()
	r := sampleRequest(t, sampleHead+"POST_ADD=own\n")
	r.EtcDir = t.TempDir()
	override := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(r.EtcDir, name+".conf"), []byte("POST_ADD="+text+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want string) {
		t.Helper()
		if got, _ := loaded(t, r); got != want {
			t.Errorf("POST_ADD = %q; want %q", got, want)
		}
	}
	name := r.Package.Name
	if name == "" {
		t.Fatal("the sample has no name")
	}
	override(name, "first")
	r.Shared = &Shared{}
	want("first")
	override(name+"-"+r.Package.Version, "later")
	want("first")
	r.Shared = nil
	want("later")
	r.Shared = &Shared{listings: map[string]map[string]bool{r.EtcDir: nil}} // as after EACCES
	want("later")
}

// TestSharedFlat has two files see one configuration, each what it asks for.
func TestSharedFlat(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "config")
	text := strings.Repeat("# CONFIG_SOMETHING_THAT_IS_LONG is not set\n", 1000)
	write := func(values string) {
		t.Helper()
		if err := os.WriteFile(config, []byte(text+values), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("CONFIG_A=first\nCONFIG_B=second\nOTHER=third\n")
	shared := &Shared{}
	for _, tt := range []struct{ asks, want string }{
		{"$CONFIG_A$OTHER", "firstthird"}, {"$CONFIG_B$OTHER", "secondthird"}, {"$CONFIG_A", "first"},
	} {
		r := sampleRequest(t, sampleHead+". "+config+"\nPOST_ADD="+tt.asks+"\n")
		r.Shared = shared
		if got, _ := loaded(t, r); got != tt.want {
			t.Errorf("POST_ADD=%s is %q; want %q", tt.asks, got, tt.want)
		}
		write("CONFIG_A=changed\nCONFIG_B=changed\nOTHER=changed\n")
	}
}
