package plan_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/internal/dkms"
	"github.com/dkms-hook/dkms-hook/internal/golden"
	"github.com/dkms-hook/dkms-hook/internal/plan"
)

// Each golden has the sections have, want, plan (what people read) and graph
// (what is run).
func TestDiffGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob: %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			section := map[string]string{}
			for _, f := range a.Files {
				section[f.Name] = string(f.Data)
			}
			p := plan.Diff(parseWant(t, section["want"]), parseHave(t, section["have"]))
			var text strings.Builder
			if err := p.Format(&text); err != nil {
				t.Fatal(err)
			}
			golden.Section(t, file, "plan", text.String())
			golden.Section(t, file, "graph", graph(p))
		})
	}
}

func TestPlanJSON(t *testing.T) {
	t.Parallel()
	p := plan.Diff(parseWant(t, "install it87/eol 6.1.0-56-amd64 why=\"asked for\""), parseHave(t, "package it87/eol"))
	got, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const want = `{
  "schema": 1,
  "steps": [
    {
      "id": "build it87/eol/6.1.0-56-amd64/x86_64",
      "verb": "build",
      "ref": {
        "name": "it87",
        "version": "eol",
        "release": "6.1.0-56-amd64",
        "arch": "x86_64"
      },
      "why": "asked for: no module for this kernel yet"
    },
    {
      "id": "install it87/eol/6.1.0-56-amd64/x86_64",
      "verb": "install",
      "ref": {
        "name": "it87",
        "version": "eol",
        "release": "6.1.0-56-amd64",
        "arch": "x86_64"
      },
      "why": "asked for: not installed for this kernel yet",
      "needs": [
        "build it87/eol/6.1.0-56-amd64/x86_64"
      ],
      "holds": [
        "modules 6.1.0-56-amd64/x86_64",
        "originals it87"
      ]
    },
    {
      "id": "depmod 6.1.0-56-amd64/x86_64",
      "verb": "depmod",
      "ref": {
        "name": "",
        "version": "",
        "release": "6.1.0-56-amd64",
        "arch": "x86_64"
      },
      "why": "its modules change",
      "after": [
        "install it87/eol/6.1.0-56-amd64/x86_64"
      ],
      "holds": [
        "modules 6.1.0-56-amd64/x86_64"
      ]
    }
  ],
  "notes": []
}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("MarshalIndent (-want +got):\n%s", diff)
	}
}

// Input that makes no sense is noted, not obeyed, and stops nothing else.
func TestDiffNonsense(t *testing.T) {
	t.Parallel()
	ref := func(name, version, release, arch string) dkms.Ref {
		return dkms.Ref{Package: dkms.Package{Name: name, Version: version}, KernelID: dkms.KernelID{Release: release, Arch: arch}}
	}
	for _, tt := range []struct {
		name   string
		target plan.Target
		reason plan.Reason
	}{
		{"nothing", plan.Target{}, plan.Conflict},
		{"no version", plan.Target{Ref: ref("a", "", "6.1", "x86_64"), Goal: dkms.Built}, plan.Conflict},
		{"slash in name", plan.Target{Ref: ref("a/b", "1", "6.1", "x86_64"), Goal: dkms.Built}, plan.Conflict},
		{"no arch", plan.Target{Ref: ref("a", "1", "6.1", ""), Goal: dkms.Built}, plan.Conflict},
		{"build for no kernel", plan.Target{Ref: ref("a", "1", "", ""), Goal: dkms.Built}, plan.Conflict},
		{"goal broken", plan.Target{Ref: ref("a", "1", "6.1", "x86_64"), Goal: dkms.Broken}, plan.Conflict},
		{"goal unknown", plan.Target{Ref: ref("a", "1", "6.1", "x86_64"), Goal: 99}, plan.Conflict},
		{"goal below all", plan.Target{Ref: ref("a", "1", "6.1", "x86_64"), Goal: -1, Lower: true}, plan.Conflict},
		{"remove of the unknown", plan.Target{Ref: ref("a", "1", "6.1", "x86_64"), Lower: true}, plan.UpToDate},
		{"uninstall everywhere of the unknown", plan.Target{Ref: ref("a", "1", "", ""), Goal: dkms.Built, Lower: true}, plan.UpToDate},
	} {
		good := plan.Target{Ref: ref("z", "1", "6.1", "x86_64"), Goal: dkms.Built}
		p := plan.Diff(plan.Want{Targets: []plan.Target{tt.target, good}}, plan.Have{
			Packages: []plan.HavePackage{{Package: good.Ref.Package}, {}},
			Refs:     []plan.HaveRef{{}, {Ref: ref("z", "1", "", ""), State: dkms.Installed}, {Ref: good.Ref, State: 77}},
		})
		if len(p.Steps) != 1 || p.Steps[0].ID() != "build z/1/6.1/x86_64" {
			t.Errorf("%s: steps %v; want the good target's build", tt.name, p.Steps)
		}
		if len(p.Notes) != 1 || p.Notes[0].Reason != tt.reason || p.Notes[0].Ref != tt.target.Ref {
			t.Errorf("%s: notes %v; want one, %s", tt.name, p.Notes, tt.reason)
		}
	}
}
