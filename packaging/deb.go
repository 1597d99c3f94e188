package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
)

// writeDeb makes the Debian package.
func writeDeb(r release, entries []entry, w io.Writer) error {
	// nfpm takes files and scripts from the disk only.
	tmp, err := os.MkdirTemp("", "dkms-hook-deb-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp) //nolint:errcheck // a folder in /tmp
	info := debInfo(r)
	if info.Contents, err = debContents(r, entries, tmp); err != nil {
		return err
	}
	if info.Scripts, err = debScripts(tmp); err != nil {
		return err
	}
	return deb.Default.Package(nfpm.WithDefaults(info), w)
}

// debInfo is what deb-control(5) and deb-triggers(5) get to know.
func debInfo(r release) *nfpm.Info {
	return &nfpm.Info{
		Name: name, Version: r.version, VersionSchema: "none", Arch: "amd64", Platform: "linux",
		Section: "kernel", Priority: "optional", Maintainer: maintainer, Homepage: homepage,
		Description: summary + "\n" + description, MTime: r.time, DisableGlobbing: true,
		Overridables: nfpm.Overridables{
			// Packages of modules depend on dkms, mostly on a version of it.
			Provides:  []string{"dkms (= " + dkmsLevel + ")"},
			Conflicts: []string{"dkms"},
			Replaces:  []string{"dkms"},
			Depends:   []string{"kmod", "make", "patch"},
			// A kernel's headers bring the compiler that it was built with.
			Recommends: []string{"gcc | c-compiler", "linux-headers-amd64 | linux-headers-generic | linux-headers"},
			Suggests:   []string{"mokutil"},
			Deb: nfpm.Deb{
				Compression: "xz",
				Fields:      map[string]string{"Multi-Arch": "foreign"},
				Triggers: nfpm.DebTriggers{
					// Packages that depend on one with modules are configured
					// after the run; kernels wait for nobody.
					InterestAwait:   []string{name},
					InterestNoAwait: []string{"/lib/modules", "/usr/lib/modules"},
				},
			},
		},
	}
}

func debContents(r release, entries []entry, tmp string) (files.Contents, error) {
	var all files.Contents
	for i, e := range entries {
		c := &files.Content{Destination: e.path, FileInfo: &files.ContentFileInfo{Owner: "root", Group: "root", Mode: e.mode, MTime: r.time}}
		switch e.kind {
		case directory:
			c.Type = files.TypeDir
		case link:
			c.Type, c.Source = files.TypeSymlink, string(e.body)
		case config:
			c.Type = files.TypeConfig
		}
		if c.Source == "" && e.kind != directory {
			c.Source = filepath.Join(tmp, fmt.Sprint(i))
			if err := os.WriteFile(c.Source, e.body, 0o600); err != nil {
				return nil, err
			}
		}
		all = append(all, c)
	}
	return all, nil
}

func debScripts(tmp string) (nfpm.Scripts, error) {
	paths := map[string]string{}
	for _, name := range []string{"preinst", "postinst", "prerm", "postrm"} {
		text, err := script("deb/" + name)
		if err == nil && strings.Contains(text, "@HOOKS@") {
			text, err = withHooks(text)
		}
		if err != nil {
			return nfpm.Scripts{}, err
		}
		paths[name] = filepath.Join(tmp, name)
		if err := os.WriteFile(paths[name], []byte(text), 0o600); err != nil {
			return nfpm.Scripts{}, err
		}
	}
	return nfpm.Scripts{PreInstall: paths["preinst"], PostInstall: paths["postinst"], PreRemove: paths["prerm"], PostRemove: paths["postrm"]}, nil
}
