package conf

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/kbuild"
)

// corpusKernels are the two kernels of the corpus's README, by their number.
var corpusKernels = map[string]string{"1": "6.1.0-49-amd64", "2": "5.14.0-503.el9.x86_64"}

// A corpusRow is a line of INDEX.tsv.
type corpusRow struct {
	number, repo, oracle string
	dependent            bool            // on the machine it was evaluated on
	ignore               map[string]bool // the directives that differ there
}

// corpusDir is the folder, or "" when there is none.
func corpusDir(t testing.TB) string {
	dir := cmp.Or(os.Getenv("DKMS_CONF_CORPUS"), "../../shared/corpus/dkms-conf")
	if !filepath.IsAbs(dir) && os.Getenv("DKMS_CONF_CORPUS") != "" {
		dir = filepath.Join("..", dir) // from the project's root
	}
	if _, err := os.Stat(filepath.Join(dir, "INDEX.tsv")); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no corpus of dkms.conf files: %v; set DKMS_CONF_CORPUS", err)
		}
		t.Skipf("no corpus of dkms.conf files: %v; set DKMS_CONF_CORPUS", err)
	}
	return dir
}

func corpusIndex(t testing.TB, dir string) []corpusRow {
	text, err := os.ReadFile(filepath.Join(dir, "INDEX.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	column := map[string]int{}
	for i, name := range strings.Split(lines[0], "\t") {
		column[name] = i
	}
	var rows []corpusRow
	for _, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		get := func(name string) string {
			if i, ok := column[name]; ok && i < len(fields) {
				return fields[i]
			}
			return ""
		}
		row := corpusRow{number: get("NNN"), repo: get("repo"), oracle: get("oracle"),
			dependent: get("env_dependent") == "yes", ignore: map[string]bool{}}
		for _, name := range strings.FieldsFunc(get("env_diff"), func(r rune) bool { return r == ',' || r == ' ' || r == '-' }) {
			row.ignore[name] = true
		}
		rows = append(rows, row)
	}
	return rows
}

func readExpected(t testing.TB, file string) Directives {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var d Directives
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return d
}

// collectedNames are the directives that the oracle looked at, as far as its
// answers show: it leaves some of the oldest ones out.
func collectedNames(t testing.TB, dir string) map[string]bool {
	files, err := filepath.Glob(filepath.Join(dir, "expected", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, file := range files {
		for name := range readExpected(t, file) {
			names[name] = true
		}
	}
	return names
}

// evaluateCorpus evaluates one file as the corpus's README says: alone in
// /scratch. Ours is a temporary directory, and its name is put back in what
// comes out.
func evaluateCorpus(t testing.TB, conf, number string, own Directives) (raw, values Directives, err error) {
	return evaluateCorpusBeside(t, conf, number, own, nil)
}

// evaluateCorpusBeside evaluates the file a second time beside a first, which shared
// what it came to know, if shared is not nil.
func evaluateCorpusBeside(t testing.TB, conf, number string, own Directives, shared *Shared) (raw, values Directives, err error) {
	dir := filepath.Join(t.TempDir(), "scratch")
	text, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dkms.conf"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	source := "/lib/modules/" + corpusKernels[number] + "/build"
	request := Request{
		Package: dkms.Package{Name: own.Get("PACKAGE_NAME"), Version: own.Get("PACKAGE_VERSION")},
		File:    filepath.Join(dir, "dkms.conf"),
		Trees:   Trees{DKMS: "/var/lib/dkms", Source: "/usr/src", Install: "/lib/modules"},
		Jobs:    8,
		Timeout: 20 * time.Second,
		Shared:  shared,
	}
	kernel := kbuild.Kernel{
		KernelID: dkms.KernelID{Release: corpusKernels[number], Arch: "x86_64"},
		Source:   source, ConfigFile: source + "/.config",
	}
	evaluate := func() (raw, values Directives, err error) {
		e := newEvaluation(request, kernel)
		defer e.close()
		e.path = "/usr/sbin:/usr/bin:/sbin:/bin"
		e.allow = harmlessUnlessGuarded(e)
		raw, values, err = e.evaluate(context.Background())
		for _, p := range e.problems {
			t.Logf("%s.%s: %s", conf, number, p)
		}
		return inScratch(raw, dir), inScratch(values, dir), err
	}
	if shared != nil {
		if _, _, err := evaluate(); err != nil {
			return nil, nil, err
		}
	}
	return evaluate()
}

// harmlessUnlessGuarded lets any program run where the read-only view stands
// in its way, and elsewhere only those that look and do not touch: these are
// other people's files.
func harmlessUnlessGuarded(e *evaluation) func(string) bool {
	harmless := strings.Fields(`awk basename cat cut date dirname dpkg dpkg-query echo egrep expr false fgrep find getconf
		grep head id ls lsb_release modinfo nproc od paste printf pwd readlink realpath rev rpm sed seq sort stat
		tail test tr true uniq wc which`)
	return func(program string) bool {
		if e.sandbox.work == nil && !e.sandbox.plain {
			e.sandbox.start()
		}
		return !e.sandbox.plain || slices.Contains(harmless, filepath.Base(program))
	}
}

func inScratch(d Directives, dir string) Directives {
	out := Directives{}
	for name, array := range d {
		for i, value := range array {
			out.Set(name, i, strings.ReplaceAll(value, dir, "/scratch"))
		}
	}
	return out
}

// differences names the elements in which two results differ.
func differences(got, want Directives, ignore map[string]bool) []string {
	names := maps.Clone(got)
	maps.Copy(names, want)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if ignore[name] {
			continue
		}
		indexes := maps.Clone(got[name])
		if indexes == nil {
			indexes = Array{}
		}
		maps.Copy(indexes, want[name])
		for _, i := range indexes.Indexes() {
			g, gotIt := got[name][i]
			w, wanted := want[name][i]
			if g != w || gotIt != wanted {
				out = append(out, fmt.Sprintf("%s[%d] = %s; want %s", name, i, shown(g, gotIt), shown(w, wanted)))
			}
		}
	}
	return out
}

func shown(s string, set bool) string {
	if !set {
		return "unset"
	}
	return fmt.Sprintf("%q", s)
}

// TestCorpus compares us with bash over real dkms.conf files.
func TestCorpus(t *testing.T) {
	t.Parallel()
	compareCorpus(t, nil)
}

// TestCorpusShared does the same with what another evaluation has found.
func TestCorpusShared(t *testing.T) {
	t.Parallel()
	shared := &Shared{}
	compareCorpus(t, shared)
	known := 0
	for _, i := range shared.inquiries {
		if i.whole {
			known++
		}
	}
	if known == 0 {
		t.Error("nothing was shared")
	}
	t.Logf("%d answers of programs were shared", known)
}

func compareCorpus(t *testing.T, shared *Shared) {
	dir := corpusDir(t)
	agreed, total := 0, 0
	collected := collectedNames(t, dir)
	for _, row := range corpusIndex(t, dir) {
		for _, number := range slices.Sorted(maps.Keys(corpusKernels)) {
			name := row.number + "." + number
			want := readExpected(t, filepath.Join(dir, "expected", name+".json"))
			got, _, err := evaluateCorpusBeside(t, filepath.Join(dir, "confs", row.number+".conf"), number, want, shared)
			total++
			maps.DeleteFunc(got, func(name string, _ Array) bool { return !collected[name] })
			diff := differences(got, want, row.ignore)
			if err != nil {
				diff = append(diff, "error: "+err.Error())
			}
			if len(diff) == 0 {
				agreed++
				continue
			}
			t.Errorf("%s (%s, oracle %s): we and bash disagree:\n\t%s", name, row.repo, row.oracle, strings.Join(diff, "\n\t"))
		}
	}
	fmt.Printf("corpus %s: agreed %d of %d\n", dir, agreed, total)
}
