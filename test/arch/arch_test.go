package arch

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/dkms-hook/dkms-hook"

// A pkg is what "go list -json" tells of a package.
type pkg struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func (p pkg) room() string { return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/") }

func list(t *testing.T, pattern string) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", pattern)
	cmd.Dir = "../.."
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %s: %v\n%s", pattern, err, stderr.String())
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		switch err := dec.Decode(&p); {
		case errors.Is(err, io.EOF):
			return pkgs
		case err != nil:
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// rooms says which rooms each room may import; a room counts with the packages
// below it, and may import those too. Reasons are in docs/architecture.md.
var rooms = map[string][]string{
	"cmd/dkms-hook":      {"hooks", "internal/call", "internal/cmdline", "internal/report", "internal/dkms"},
	"cmd/dkms-mkpkg":     {"conf", "kbuild", "pkgfmt", "internal/cmdline", "internal/dkms", "internal/report"},
	"conf":               {"kbuild", "internal/dkms", "internal/system"},
	"hooks":              {"conf", "kbuild", "templates", "internal/apply", "internal/cache", "internal/call", "internal/dkms", "internal/machine", "internal/operand", "internal/pkgmgr", "internal/plan", "internal/registry", "internal/report", "internal/sched", "internal/system", "internal/tree", "internal/view", "internal/want", "internal/jobserver", "internal/record", "internal/trace"},
	"internal/apply":     {"conf", "kbuild", "internal/dkms", "internal/initramfs", "internal/machine", "internal/plan", "internal/report", "internal/sched", "internal/system", "internal/tree", "internal/jobserver", "internal/cache"},
	"internal/cache":     {"internal/dkms", "internal/system"},
	"internal/call":      {"kbuild", "internal/dkms", "internal/system"},
	"internal/cmdline":   {"internal/dkms"},
	"internal/dkms":      {},
	"internal/golden":    {},
	"internal/initramfs": {"internal/system"},
	"internal/jobserver": {},
	"internal/machine":   {"conf", "kbuild", "internal/dkms", "internal/report", "internal/system", "internal/tree"},
	"internal/operand":   {"conf", "kbuild", "internal/call", "internal/dkms", "internal/machine", "internal/report", "internal/system", "internal/tree"},
	"internal/pkgmgr":    {"internal/system"},
	"internal/plan":      {"kbuild", "internal/dkms"},
	"internal/record":    {"internal/dkms"},
	"internal/registry":  {"kbuild", "internal/dkms", "internal/machine", "internal/pkgmgr", "internal/plan", "internal/report", "internal/system", "internal/tree"},
	"internal/report":    {"internal/dkms", "internal/plan", "internal/record"},
	"internal/sched":     {},
	"internal/system":    {},
	"internal/trace":     {},
	"internal/tree":      {"kbuild", "internal/dkms", "internal/system"},
	"internal/treetest":  {"kbuild", "internal/dkms", "internal/system", "internal/tree"},
	"internal/view":      {"internal/dkms", "internal/plan", "internal/report", "internal/tree"},
	"internal/want":      {"kbuild", "internal/dkms", "internal/machine", "internal/plan", "internal/report", "internal/system", "internal/tree"},
	"kbuild":             {"internal/dkms", "internal/system"},
	"packaging":          {"pkgfmt", "templates"},
	"pkgfmt":             {"conf", "kbuild", "templates", "internal/dkms", "internal/system"},
	"templates":          {},
}

// TestRooms proves that no room imports one that it may not know.
func TestRooms(t *testing.T) {
	t.Parallel()
	for _, p := range list(t, "./...") {
		if strings.HasPrefix(p.room(), "test/") {
			continue // a test may look everywhere
		}
		room, known := roomOf(p.room())
		if !known {
			t.Errorf("%s: is in no room: add it to the table, and to docs/architecture.md", p.room())
			continue
		}
		for _, imported := range p.Imports {
			inside, ours := strings.CutPrefix(imported, module+"/")
			if !ours || within(inside, room) {
				continue
			}
			if !slices.ContainsFunc(rooms[room], func(r string) bool { return within(inside, r) }) {
				t.Errorf("%s imports %s: the room %s may import %v only", p.room(), inside, room, rooms[room])
			}
		}
	}
}

func roomOf(path string) (string, bool) {
	for r := range rooms {
		if within(path, r) {
			return r, true
		}
	}
	return "", false
}

func within(path, room string) bool { return path == room || strings.HasPrefix(path, room+"/") }

// TestRootProgramIsSmall proves that what runs as root in every kernel upgrade
// brings neither a network stack nor the makers of distribution packages.
func TestRootProgramIsSmall(t *testing.T) {
	t.Parallel()
	forbidden := map[string]string{
		"net/http":                      "it talks to no network",
		"crypto/tls":                    "it talks to no network",
		"github.com/goreleaser/nfpm/v2": "only pkgfmt makes distribution packages",
		module + "/pkgfmt":              "only pkgfmt makes distribution packages",
		"testing":                       "tests stay in tests",
	}
	for _, p := range list(t, "./cmd/dkms-hook") {
		for _, dep := range p.Deps {
			for f, why := range forbidden {
				if within(dep, f) {
					t.Errorf("dkms-hook links %s: %s", dep, why)
				}
			}
		}
	}
}

// TestPure proves that these rooms can look at nothing but their arguments.
func TestPure(t *testing.T) {
	t.Parallel()
	forbidden := []string{"os", "os/exec", "io/fs", "path/filepath", "syscall", "golang.org/x/sys/unix", "time", module + "/internal/system"}
	for _, room := range []string{"internal/plan", "internal/view"} {
		for _, p := range list(t, "./"+room) {
			for _, imported := range p.Imports {
				if slices.Contains(forbidden, imported) {
					t.Errorf("%s imports %s: it is a function of its arguments", room, imported)
				}
			}
		}
	}
}
