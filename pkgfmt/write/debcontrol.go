package write

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
)

// debControl makes control.tar.gz. nfpm makes it of a package without files but
// the conffiles, which have nothing in them; what it then says of their sizes
// and digests is put right.
func debControl(p pkgfmt.Package, facts debFacts) ([]byte, error) {
	tmp, err := os.MkdirTemp("", "dkms-mkpkg-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // a folder in /tmp
	info, err := debInfo(p, tmp)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := deb.Default.Package(nfpm.WithDefaults(info), &b); err != nil {
		return nil, err
	}
	made, err := arMember(b.Bytes(), "control.tar.gz")
	if err != nil {
		return nil, err
	}
	return withFacts(p, made, facts)
}

// debInfo is what nfpm gets to know: deb-control(5), deb-triggers(5), the
// scripts, which it takes from the disk only, and the conffiles.
func debInfo(p pkgfmt.Package, tmp string) (*nfpm.Info, error) {
	fields := maps.Clone(p.Fields)
	priority := fields["Priority"] // nfpm writes its own
	delete(fields, "Priority")
	if len(p.Relations.Enhances) > 0 {
		if fields == nil {
			fields = map[string]string{}
		}
		fields["Enhances"] = strings.Join(p.Relations.Enhances, ", ")
	}
	info := &nfpm.Info{
		Name: p.Name, Version: versionOf(p.Version), VersionSchema: "none", Arch: p.Arch, Platform: "linux",
		Section: p.Section, Priority: priority, Maintainer: p.Maintainer, Homepage: p.Homepage,
		Description: p.Summary + "\n" + filled(p.Description), MTime: p.Time, DisableGlobbing: true,
		Overridables: nfpm.Overridables{
			Depends: p.Relations.Depends, Recommends: p.Relations.Recommends, Suggests: p.Relations.Suggests,
			Conflicts: p.Relations.Conflicts, Replaces: p.Relations.Replaces, Provides: p.Relations.Provides,
			Deb: nfpm.Deb{Compression: "none", Fields: fields, Breaks: p.Relations.Breaks},
		},
	}
	addTriggers(&info.Deb.Triggers, p.Triggers)
	if err := addConffiles(info, p, tmp); err != nil {
		return nil, err
	}
	return info, addScripts(info, p, tmp)
}

// directives are those of deb-triggers(5), as nfpm has them.
var directives = map[string]func(*nfpm.DebTriggers) *[]string{
	"interest":         func(t *nfpm.DebTriggers) *[]string { return &t.Interest },
	"interest-await":   func(t *nfpm.DebTriggers) *[]string { return &t.InterestAwait },
	"interest-noawait": func(t *nfpm.DebTriggers) *[]string { return &t.InterestNoAwait },
	"activate":         func(t *nfpm.DebTriggers) *[]string { return &t.Activate },
	"activate-await":   func(t *nfpm.DebTriggers) *[]string { return &t.ActivateAwait },
	"activate-noawait": func(t *nfpm.DebTriggers) *[]string { return &t.ActivateNoAwait },
}

func addTriggers(t *nfpm.DebTriggers, lines []string) {
	for _, line := range lines {
		if words := strings.Fields(line); len(words) == 2 && directives[words[0]] != nil {
			names := directives[words[0]](t)
			*names = append(*names, words[1])
		}
	}
}

func addConffiles(info *nfpm.Info, p pkgfmt.Package, tmp string) error {
	empty := filepath.Join(tmp, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		return err
	}
	for _, f := range p.Files {
		if f.Kind == pkgfmt.Config {
			info.Contents = append(info.Contents, &files.Content{
				Source: empty, Destination: f.Path, Type: files.TypeConfig,
				FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: f.Mode.Perm(), MTime: p.Time},
			})
		}
	}
	return nil
}

func addScripts(info *nfpm.Info, p pkgfmt.Package, tmp string) error {
	for name, field := range map[string]*string{
		"preinst": &info.Scripts.PreInstall, "postinst": &info.Scripts.PostInstall,
		"prerm": &info.Scripts.PreRemove, "postrm": &info.Scripts.PostRemove,
	} {
		text, ok := p.Scripts[name]
		if !ok {
			continue
		}
		*field = filepath.Join(tmp, name)
		if err := os.WriteFile(*field, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

var installedSize = regexp.MustCompile(`(?m)^Installed-Size: .*$`)

// withFacts returns control.tar.gz with the facts in it.
func withFacts(p pkgfmt.Package, made []byte, facts debFacts) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(made))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	out, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	from, to := tar.NewReader(z), tar.NewWriter(out)
	for {
		h, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(from)
		if err != nil {
			return nil, err
		}
		switch h.Name {
		case "./control":
			text = installedSize.ReplaceAll(text, fmt.Appendf(nil, "Installed-Size: %d", facts.blocks))
			text = bytes.Replace(text, []byte("\nSection: \n"), []byte("\n"), 1) // nfpm writes it though it says nothing
		case "./md5sums":
			text = facts.md5sums.Bytes()
		}
		h.Size, h.Uname, h.Gname = int64(len(text)), "root", "root"
		if err := to.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := to.Write(text); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(to.Close(), out.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// arMember returns a member of an archive that nfpm made.
func arMember(archive []byte, name string) ([]byte, error) {
	const magic, header = 8, 60
	for at := magic; at+header <= len(archive); {
		var size int
		if _, err := fmt.Sscan(string(archive[at+48:at+58]), &size); err != nil {
			return nil, err
		}
		start := at + header
		if start+size > len(archive) {
			break
		}
		if strings.TrimSpace(string(archive[at:at+16])) == name {
			return archive[start : start+size], nil
		}
		at = start + size + size%2
	}
	return nil, fmt.Errorf("nfpm made no %s", name)
}
