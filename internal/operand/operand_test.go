package operand

import (
	"os"
	"strings"
	"testing"

	"github.com/dkms-hook/dkms-hook/internal/call"
	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/machine"
	"github.com/dkms-hook/dkms-hook/internal/report"
	"github.com/dkms-hook/dkms-hook/internal/treetest"
)

const confText = "PACKAGE_NAME=pa\nPACKAGE_VERSION=1\nBUILT_MODULE_NAME=pa\nDEST_MODULE_LOCATION=/extra\n"

// finder returns the Finder of c, in a tree with reg/1 registered, src/1 in the
// source tree, and work/ with a source, a file and an empty directory.
func finder(t *testing.T, c call.Call) (*Finder, string) {
	t.Helper()
	dir := t.TempDir()
	console := &report.Console{W: t.Output()}
	m, err := machine.Open(t.Context(), machine.Options{DKMSTree: dir + "/dkms", SourceTree: dir + "/src", InstallTree: dir + "/modules", ConfFile: c.ConfFile}, console)
	if err != nil {
		t.Fatal(err)
	}
	reg := dkms.Package{Name: "reg", Version: "1"}
	treetest.Write(t, m.Tree.Source(reg)+"/dkms.conf", strings.ReplaceAll(confText, "pa", "reg"))
	treetest.Write(t, dir+"/src/src-1/dkms.conf", strings.ReplaceAll(confText, "pa", "src"))
	treetest.Write(t, dir+"/work/dkms.conf", confText)
	treetest.Write(t, dir+"/file", "")
	treetest.Write(t, dir+"/noname/dkms.conf", "PACKAGE_NAME=pa\n")
	if err := os.Mkdir(dir+"/src/empty-1", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := m.Tree.Register(reg, m.Tree.Source(reg)); err != nil {
		t.Fatal(err)
	}
	for i, word := range c.Operands {
		c.Operands[i] = strings.Replace(word, "DIR", dir, 1)
	}
	return New(&c, m, console), dir
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		c          call.Call
		want       string // package and the directory that holds its source
		registered bool
		brings     bool
		kind       dkms.Kind // of the error
	}{
		{"registered", call.Call{Operands: []string{"reg/1"}}, "reg/1 DIR/src/reg-1", true, false, 0},
		{"by -m and -v", call.Call{Module: "reg", Version: "1"}, "reg/1 DIR/src/reg-1", true, false, 0},
		{"in the source tree", call.Call{Operands: []string{"src/1"}}, "src/1 DIR/src/src-1", false, false, 0},
		{"the directory there", call.Call{Operands: []string{"DIR/src/src-1"}}, "src/1 DIR/src/src-1", false, false, 0},
		{"a directory", call.Call{Operands: []string{"DIR/work"}}, "pa/1 DIR/work", false, true, 0},
		{"its dkms.conf", call.Call{Operands: []string{"DIR/work/dkms.conf"}}, "pa/1 DIR/work", false, true, 0},
		{"a directory, by another name", call.Call{Operands: []string{"DIR/work"}, Module: "pb", Version: "2"}, "pb/2 DIR/work", false, true, 0},
		{"nothing", call.Call{Operands: []string{"no/1"}}, "", false, false, dkms.SourceMissing},
		{"no such path", call.Call{Operands: []string{"./no"}}, "", false, false, dkms.SourceMissing},
		{"no dkms.conf", call.Call{Operands: []string{"DIR/src"}}, "", false, false, dkms.ConfMissing},
		{"an empty directory", call.Call{Operands: []string{"empty/1"}}, "", false, false, dkms.ConfInvalid},
		{"no version", call.Call{Operands: []string{"reg"}}, "", false, false, dkms.Incomplete},
		{"no version in dkms.conf", call.Call{Operands: []string{"DIR/noname"}}, "", false, false, dkms.ConfInvalid},
		{"two", call.Call{Operands: []string{"reg/1", "src/1"}}, "", false, false, dkms.Usage},
	} {
		f, dir := finder(t, tt.c)
		have, err := f.tree.Scan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, err := f.Find(t.Context(), have)
		if tt.want == "" {
			if err == nil || dkms.KindOf(err) != tt.kind {
				t.Errorf("%s: Find() = %v; want kind %d", tt.name, err, tt.kind)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: Find() = %v", tt.name, err)
			continue
		}
		if got := c.String() + " " + strings.Replace(c.Source, dir, "DIR", 1); got != tt.want || c.Registered != tt.registered || (c.Bring != nil) != tt.brings {
			t.Errorf("%s: Find() = %s, registered %v, brings %v; want %s, %v, %v", tt.name, got, c.Registered, c.Bring != nil, tt.want, tt.registered, tt.brings)
		}
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		c    call.Call
		want string
	}{
		{call.Call{Operands: []string{"DIR/file"}}, "DIR/file"},
		{call.Call{Archive: "pa.tar.gz"}, "pa.tar.gz"},
		{call.Call{Archive: "pa.tar.gz", Module: "pa"}, ""},
		{call.Call{Archive: "pa.rpm"}, ""},
		{call.Call{Operands: []string{"DIR/work"}}, ""},
		{call.Call{Operands: []string{"reg/1"}}, ""},
	} {
		f, dir := finder(t, tt.c)
		got, ok := f.Archive()
		if got = strings.Replace(got, dir, "DIR", 1); ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("Archive() of %v %q = %q, %v; want %q", tt.c.Operands, tt.c.Archive, got, ok, tt.want)
		}
	}
}
