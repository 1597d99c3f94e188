package write

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

func someMaterials() *Materials {
	return &Materials{
		Builder:    Builder{Name: "dkms-mkpkg", Version: "1.2.3", Go: "go1.26.8"},
		Parameters: map[string]string{"command": "kmod", "abi": "exact"},
		Source: SourceMaterial{
			Name: "foo", Version: "1.0-rc1", SHA256: strings.Repeat("a", 64),
			Repository: "https://user:token@example.org/foo.git", Commit: strings.Repeat("b", 40), Tag: "v1.0-rc1", Dirty: true,
		},
		Kernel: &KernelMaterial{
			Release: "6.1.0-1-amd64", Arch: "x86_64", Config: strings.Repeat("c", 64), Symvers: strings.Repeat("d", 64), Compiler: "gcc (Debian 12.2.0-14) 12.2.0",
		},
	}
}

// beside reads what was written beside a package.
func beside(t *testing.T, path string, to any) {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for _, secret := range []string{"token", "user:", os.TempDir()} {
		if strings.Contains(string(body), secret) {
			t.Errorf("%s has %q in it", path, secret)
		}
	}
}

func hashOf(t *testing.T, path string) string {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

var (
	spdxID   = regexp.MustCompile(`^SPDXRef-[A-Za-z0-9.-]+$`)
	sha1Word = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// TestSBOM holds the document against what SPDX 2.3 demands, and against the
// package.
func TestSBOM(t *testing.T) {
	t.Parallel()
	for _, f := range []pkgfmt.Format{pkgfmt.Deb, pkgfmt.RPM} {
		path := written(t, sample(f), Options{Materials: someMaterials()})
		var doc spdxDocument
		beside(t, path+".sbom.json", &doc)
		if doc.Version != "SPDX-2.3" || doc.DataLicense != "CC0-1.0" || doc.ID != "SPDXRef-DOCUMENT" || doc.Name != filepath.Base(path) ||
			doc.Creation.Created != "2023-11-14T22:13:20Z" || !strings.HasPrefix(doc.Namespace, "https://") || strings.ContainsAny(doc.Namespace, "# ") {
			t.Errorf("document: %+v", doc)
		}
		if diff := cmp.Diff([]string{"Tool: dkms-mkpkg-1.2.3"}, doc.Creation.Creators); diff != "" {
			t.Errorf("creators (-want +got):\n%s", diff)
		}
		ids := map[string]bool{doc.ID: true}
		for _, p := range doc.Packages {
			ids[p.ID] = true
			if !spdxID.MatchString(p.ID) || p.Name == "" || p.Download == "" || p.LicenseDeclared == "" || p.FilesAnalyzed != (p.Verification != nil) {
				t.Errorf("package: %+v", p)
			}
		}
		ours := doc.Packages[0]
		if ours.Checksums[0] != (spdxChecksum{"SHA256", hashOf(t, path)}) || ours.Version != "1:1.0~rc1-2" || !sha1Word.MatchString(ours.Verification.Value) ||
			ours.LicenseDeclared != "GPL-2.0-or-later" || ours.Supplier != "Person: Ada Example (ada@example.org)" {
			t.Errorf("our package: %+v", ours)
		}
		want := "pkg:deb/foo-dkms@1%3A1.0~rc1-2?arch=all"
		if f == pkgfmt.RPM {
			want = "pkg:rpm/foo-dkms@1.0~rc1-2?arch=noarch&epoch=1"
		}
		if got := ours.References[0].Locator; got != want {
			t.Errorf("purl: %s; want %s", got, want)
		}
		if got, want := doc.Packages[1].Download, "git+https://example.org/foo.git@"+strings.Repeat("b", 40); got != want {
			t.Errorf("source: %s; want %s", got, want)
		}
		checkFiles(t, path, doc, ids)
		for _, r := range doc.Relationships {
			if !ids[r.From] || !ids[r.To] {
				t.Errorf("relationship of what is not there: %+v", r)
			}
		}
	}
}

// checkFiles holds the files of the document against those of the package.
func checkFiles(t *testing.T, path string, doc spdxDocument, ids map[string]bool) {
	t.Helper()
	root := t.TempDir()
	if strings.HasSuffix(path, ".deb") {
		output(t, "dpkg-deb", "-x", path, root)
	} else {
		output(t, "sh", "-c", `cd "$1" && rpm2cpio "$2" | cpio -id --quiet`, "sh", root, path)
	}
	told := map[string]bool{}
	for _, f := range doc.Files {
		ids[f.ID], told[f.Name] = true, true
		if !spdxID.MatchString(f.ID) || f.Checksums[0].Algorithm != "SHA1" || !sha1Word.MatchString(f.Checksums[0].Value) ||
			f.Checksums[1] != (spdxChecksum{"SHA256", hashOf(t, filepath.Join(root, f.Name))}) {
			t.Errorf("file: %+v", f)
		}
	}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(root, path); d.Type().IsRegular() && !told["./"+rel] {
			t.Errorf("%s is in the package, and not in the document", rel)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestProvenance(t *testing.T) {
	t.Parallel()
	path := written(t, sample(pkgfmt.RPM), Options{Materials: someMaterials()})
	var got statement
	beside(t, path+".provenance.json", &got)
	about := map[string]string{"kernel": "6.1.0-1-amd64", "architecture": "x86_64"}
	want := statement{
		Type: "https://in-toto.io/Statement/v1", PredicateType: "https://slsa.dev/provenance/v1",
		Subject: []resource{{Name: "foo-dkms-1.0~rc1-2.noarch.rpm", Digest: map[string]string{"sha256": hashOf(t, path)}}},
		Predicate: provenance{
			Build: buildDefinition{
				Type:     buildType,
				External: map[string]string{"command": "kmod", "abi": "exact", "format": "rpm"},
				Dependencies: []resource{
					{Name: "foo/1.0-rc1", Digest: map[string]string{"sha256": strings.Repeat("a", 64)}, Annotations: map[string]string{"kind": "source tree"}},
					{
						Name: "git", URI: "git+https://example.org/foo.git@" + strings.Repeat("b", 40), Digest: map[string]string{"gitCommit": strings.Repeat("b", 40)},
						Annotations: map[string]string{"tag": "v1.0-rc1", "dirty": "true"},
					},
					{Name: "kernel 6.1.0-1-amd64", Annotations: about},
					{Name: ".config", Digest: map[string]string{"sha256": strings.Repeat("c", 64)}, Annotations: about},
					{Name: "Module.symvers", Digest: map[string]string{"sha256": strings.Repeat("d", 64)}, Annotations: about},
					{Name: "compiler", Annotations: map[string]string{"version": "gcc (Debian 12.2.0-14) 12.2.0"}},
				},
			},
			Run: runDetails{Builder: builder{
				ID: "https://github.com/dkms-hook/dkms-hook/dkms-mkpkg@1.2.3", Version: map[string]string{"dkms-mkpkg": "1.2.3", "go": "go1.26.8"},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statement (-want +got):\n%s", diff)
	}
}

// TestMaterialsLacking: what is not known is left out, and what is no digest is
// refused.
func TestMaterialsLacking(t *testing.T) {
	t.Parallel()
	p := sample(pkgfmt.Deb)
	p.Maintainer, p.License = "nobody", "who \"knows\""
	path := written(t, p, Options{Materials: &Materials{}})
	var doc spdxDocument
	beside(t, path+".sbom.json", &doc)
	if len(doc.Packages) != 1 || doc.Packages[0].LicenseDeclared != noAssertion || doc.Packages[0].Supplier != noAssertion {
		t.Errorf("packages: %+v", doc.Packages)
	}
	var s statement
	beside(t, path+".provenance.json", &s)
	if len(s.Predicate.Build.Dependencies) != 0 {
		t.Errorf("dependencies: %+v", s.Predicate.Build.Dependencies)
	}
	for _, m := range []*Materials{
		{Source: SourceMaterial{SHA256: "x"}}, {Source: SourceMaterial{Commit: "HEAD"}},
		{Kernel: &KernelMaterial{Config: "x"}}, {Kernel: &KernelMaterial{Symvers: strings.Repeat("A", 64)}},
	} {
		dir := t.TempDir()
		if _, err := Package(t.Context(), p, Options{Dir: dir, Materials: m}); err == nil {
			t.Errorf("Package wrote with %+v", m)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("left %v", left)
		}
	}
}

func TestGitURI(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ repository, commit, want string }{
		{"", "", ""},
		{"https://example.org/a.git", "", "git+https://example.org/a.git"},
		{"ssh://git@example.org/a.git", "c0", "git+ssh://example.org/a.git@c0"},
		{"git@example.org:a.git", "c0", ""},
		{"/home/ada/a", "c0", ""},
		{"file:///home/ada/a", "c0", ""},
	} {
		if got := (SourceMaterial{Repository: tt.repository, Commit: tt.commit}).gitURI(); got != tt.want {
			t.Errorf("gitURI(%q, %q) = %q; want %q", tt.repository, tt.commit, got, tt.want)
		}
	}
}
