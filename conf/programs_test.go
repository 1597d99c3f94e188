package conf

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// harmlessRequest writes a dkms.conf that may start what is harmless only.
func harmlessRequest(t testing.TB, script string) Request {
	r := sampleRequest(t, sampleHead+script+"\n")
	r.Programs = Harmless()
	return r
}

// TestUnlistedProgramsDoNotRun has files write and start things in the ways
// they know, and looks at the disk. There is no read-only view: nothing but the
// list stands between them and it.
func TestUnlistedProgramsDoNotRun(t *testing.T) {
	t.Parallel()
	for _, script := range []string{
		"touch new", "/usr/bin/touch new", "/bin/touch new; :", "command touch new", "exec touch new", "eval 'touch new'",
		"x=$(touch new)", "x=`touch new`", "cat <(touch new)", "echo | touch new", "touch new &", "(touch new)", "f() { touch new; }; f",
		"MAKE='$(touch new)'", "MAKE='`touch new`'", "trap 'touch new' ERR; false", "trap 'touch new' EXIT",
		"sh -c 'echo x > new'", "bash -c 'echo x > new'", "env touch new", "xargs touch new", "nice touch new", "find . -exec touch new ;",
		"find . -name old -delete", "echo x | tee new", "cp old new", "rm -f old", "mkdir new", "ln -s old new", "dd if=old of=new", "install old new",
		"awk 'BEGIN { system(\"touch new\") }'", "awk 'BEGIN { print > \"new\" }'", "perl -e 'open F, \">new\"'", "python3 -c 'open(\"new\", \"w\")'",
		"sed -i s/old/new/ old", "sed --in-place s/old/new/ old", "sed --in-place=.new s/old/new/ old", "sed --i s/old/new/ old",
		"sed -ni.new s/old/new/ old", "sed s/old/new/ -i old", "sed -e s/old/new/ -Ei old", "/bin/sed -i s/old/new/ old",
		"sed 'w new' old", "sed -n 's/old/x/w new' old", "sed '1e touch new' old", "sed 's/.*/touch new/e' old", "sed -f script old", "sed -- 'w new' old",
		"sort -o new old", "sort -onew old", "sort --output=new old", "sort --out new old", "sort old -uo new", "sort -T . old",
		"sort --compress-program=./tool -S 1 old", "sort --co ./tool old", "uniq old new", "uniq -c old new", "uniq -- old new", "uniq -f 1 old new",
		"./tool", "$PWD/tool", "PATH=$PWD; tool", "PATH=$PWD:$PATH; cat old", "PATH=.; ls", "export PATH=$PWD; which x", "./cat old", "$PWD/ls",
		"../*/tool", ". ./tool", "source tool", "export LD_PRELOAD=$PWD/tool.so; cat old", "LD_PRELOAD=$PWD/tool.so ls", "export ENV=$PWD/tool BASH_ENV=$PWD/tool; egrep x old",
		"uname() { touch new; }; uname -r", "cat() { touch new; }; cat old", "alias cat=touch; shopt -s expand_aliases\ncat new",
		"PATH+=:$PWD\ntool", "hash -p ./tool cat; cat", "enable -f ./tool.so x", "coproc touch new", "time touch new", "! touch new",
	} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			r := harmlessRequest(t, script)
			dir := filepath.Dir(r.File)
			tool := "#!/bin/sh\ntouch " + dir + "/new\n"
			for name, text := range map[string]string{"old": "old\n", "tool": tool, "cat": tool, "ls": tool, "which": tool, "script": "w new\n", "tool.so": "no library"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			before := listing(t, dir)
			e := newEvaluation(r, sampleKernel)
			e.sandbox.plain = true
			defer e.close()
			if _, err := e.load(context.Background()); err != nil && !strings.Contains(err.Error(), "invalid") {
				t.Errorf("load: %v", err)
			}
			if diff := cmp.Diff(before, listing(t, dir)); diff != "" {
				t.Errorf("the directory changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestListedProgramsRun(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]string{
		"MAKE=$(echo 6.1.0 | sed 's/[.].*//')":                  "6",
		"MAKE=$(echo 6.1.0 | /bin/sed -e 's/[.].*//')":          "6",
		"MAKE=$(echo a-b | sed -es/i/x/ -n -e 's/-/+/p')":       "a+b",
		"MAKE=$(printf 'b\\na\\n' | sort -to -k1,1 | head -n1)": "a",
		"MAKE=$(printf 'a\\na\\n' | uniq -f 0 | wc -l)":         "1",
		"MAKE=$(echo 6.1-2 | cut -d- -f1)":                      "6.1",
		"MAKE=$(grep -c ^BUILT dkms.conf)":                      "1",
		"PATH=/nowhere; MAKE=$(basename a/b)":                   "b",
		"MAKE='$(basename a/c)'":                                "c",
		"MAKE=$(uname -r)":                                      sampleKernel.Release,
		"MAKE=$(/usr/bin/uname -r)":                             sampleKernel.Release,
		"MAKE=$(cat /dev/null <(echo x))":                       "x",
		"MAKE=$(echo x | cat /dev/stdin)":                       "x",
	} {
		c, err := Load(context.Background(), harmlessRequest(t, script), sampleKernel)
		if err != nil {
			t.Errorf("%s: %v", script, err)
			continue
		}
		if got := c.Values.Get("MAKE"); got != want || len(c.Warnings) > 0 {
			t.Errorf("%s: MAKE = %q, Warnings = %v; want %q, none", script, got, c.Warnings, want)
		}
	}
}

func TestRefusedProgramIsNamed(t *testing.T) {
	t.Parallel()
	const other = "other.sh"
	for script, want := range map[string]string{
		"touch x || MAKE=$?":                       "dkms.conf:3: touch: is not run here",
		"\n\nMAKE=$(no-such-program; echo $?)":     "dkms.conf:5: no-such-program: is not run here",
		"if true; then\nMAKE=$(date; echo $?)\nfi": "dkms.conf:4: date: is not run here",
		"\nMAKE='$(date)127'\nCLEAN=true":          "dkms.conf:4: date: is not run here",
		"\neval 'date; MAKE=$?'":                   "dkms.conf:4: date: is not run here",
		"eval 'eval \"date || MAKE=\\$?\"'":        "dkms.conf:3: date: is not run here",
		"sed -i x y || MAKE=$?":                    "dkms.conf:3: sed: is not run here with these arguments",
		"./sed || MAKE=$?":                         "dkms.conf:3: ./sed: is not run here",
		"cat /dev/zero || MAKE=$?":                 "dkms.conf:3: cat: is not run here with these arguments",
		"grep -f/dev/zero x || MAKE=$?":            "dkms.conf:3: grep: is not run here with these arguments",
		"grep --file=/dev/tty x || MAKE=$?":        "dkms.conf:3: grep: is not run here with these arguments",
		". ./" + other + "; MAKE=$?":               other + ": date: is not run here",
		". ./" + other + "\ncalled; MAKE=$?":       "dkms.conf: touch: is not run here",
		"for i in 1 2 3; do date; MAKE=$?; done":   "dkms.conf:3: date: is not run here",
	} {
		r := harmlessRequest(t, script)
		dir := filepath.Dir(r.File)
		if err := os.WriteFile(filepath.Join(dir, other), []byte("# more\ncalled() {\ntouch x\n}\ndate\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := Load(context.Background(), r, sampleKernel)
		if err != nil {
			t.Errorf("%s: %v", script, err)
			continue
		}
		var got []string
		for _, p := range c.Warnings {
			p.File = filepath.Base(p.File)
			got = append(got, p.String())
		}
		if !slices.Contains(got, want) || c.Values.Get("MAKE") != "127" {
			t.Errorf("%s: MAKE = %q, Warnings = %q; want 127, %q", script, c.Values.Get("MAKE"), got, want)
		}
		if len(got) > 2 {
			t.Errorf("%s: Warnings = %q; want none twice", script, got)
		}
	}
}

func TestProgramsList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		programs []string
		want     string
	}{
		{nil, "x 1970"},
		{[]string{}, " "},
		{[]string{"date"}, " 1970"},
		{[]string{"sed"}, "x "},
	} {
		r := sampleRequest(t, sampleHead+`MAKE="$(echo y | sed s/y/x/) $(date -ud @0 +%Y)"`)
		r.Programs = tt.programs
		c, err := Load(context.Background(), r, sampleKernel)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Values.Get("MAKE"); got != tt.want {
			t.Errorf("Programs %q: MAKE = %q; want %q", tt.programs, got, tt.want)
		}
	}
}

func TestRefusalsHaveAnEnd(t *testing.T) {
	t.Parallel()
	r := harmlessRequest(t, "i=0; while [ $i -lt 3000 ]; do no-program-$i; i=$((i+1)); done")
	r.Timeout = time.Minute
	c, err := Load(context.Background(), r, sampleKernel)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > warningLimit {
		t.Errorf("%d warnings; want at most %d", len(c.Warnings), warningLimit)
	}
}

// TestCorpusHarmless counts the real files that mean the same when they may
// start nothing but what is harmless, and names the others.
func TestCorpusHarmless(t *testing.T) {
	t.Parallel()
	dir := corpusDir(t)
	same, warned, total := 0, 0, 0
	for _, row := range corpusIndex(t, dir) {
		text, err := os.ReadFile(filepath.Join(dir, "confs", row.number+".conf"))
		if err != nil {
			t.Fatal(err)
		}
		r := sampleRequest(t, string(text))
		evaluate := func(programs []string) (Directives, []Problem) {
			r.Programs = programs
			e := newEvaluation(r, kbuild.Kernel{KernelID: dkms.KernelID{Release: corpusKernels["1"], Arch: "x86_64"}})
			defer e.close()
			e.allow = harmlessUnlessGuarded(e)
			_, values, err := e.evaluate(context.Background())
			if err != nil {
				t.Errorf("%s: %v", row.number, err)
			}
			return values, e.warnings
		}
		want, before := evaluate(nil)
		got, warnings := evaluate(Harmless())
		warnings = slices.DeleteFunc(warnings, func(p Problem) bool { return slices.Contains(before, p) })
		total++
		if len(warnings) > 0 {
			warned++
		}
		if diff := differences(got, want, nil); len(diff) > 0 {
			var refused []string
			for _, p := range warnings {
				refused = append(refused, fmt.Sprintf("%d: %s", p.Line, p.Text))
			}
			if len(refused) == 0 {
				t.Errorf("%s differs and no program was refused:\n\t%s", row.number, strings.Join(diff, "\n\t"))
			}
			fmt.Printf("%s (%s): %d values differ; %s\n", row.number, row.repo, len(diff), strings.Join(refused, "; "))
			continue
		}
		same++
	}
	fmt.Printf("corpus %s: %d of %d mean the same with harmless programs only; %d have warnings\n", dir, same, total, warned)
}
