package lint

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dkms-hook/dkms-hook/pkgfmt"
	"github.com/dkms-hook/dkms-hook/pkgfmt/write"
)

// A draft is a package of a test: what pkgfmt.Package has no words for (owners,
// set-user-ID) is beside it.
type draft struct {
	pkgfmt.Package
	owners  map[string]string
	special map[string]uint32 // modes with bits beyond 0777
}

// draftOf reads an archive. Its comment has lines `deb NAME VERSION ARCH`, `rpm …`,
// `depends RELATION`, `license TEXT`, `chmod MODE PATH`, `chown USER PATH`,
// `symlink PATH TARGET`, `object PATH TYPE [WORD=TEXT]…` (see object); its files
// are `script/NAME` and, below root/, those of the package.
func draftOf(t testing.TB, a *txtar.Archive) draft {
	d := draft{owners: map[string]string{}, special: map[string]uint32{}}
	d.Summary, d.Maintainer, d.Time, d.Scripts = "a test", "T <t@example.org>", time.Unix(1700000000, 0).UTC(), map[string]string{}
	modes := map[string]uint32{}
	for line := range strings.Lines(string(a.Comment)) {
		w := strings.Fields(line)
		if len(w) == 0 {
			continue
		}
		rest := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), w[0]))
		switch w[0] {
		case "deb", "rpm":
			d.Format, d.Name, d.Arch = pkgfmt.Format(w[0]), w[1], w[3]
			d.Version = pkgfmt.Version{Upstream: w[2]}
			if w[0] == "rpm" {
				d.Version.Revision = "1"
			}
		case "depends":
			d.Relations.Depends = append(d.Relations.Depends, rest)
		case "license":
			d.License = rest
		case "chmod":
			mode, err := strconv.ParseUint(w[1], 8, 32)
			if err != nil {
				t.Fatal(err)
			}
			modes[w[2]] = uint32(mode)
		case "chown":
			d.owners[w[2]] = w[1]
		case "symlink":
			d.Files = append(d.Files, pkgfmt.File{Path: w[1], Kind: pkgfmt.Link, Target: w[2], Mode: 0o777})
		case "object":
			d.Files = append(d.Files, pkgfmt.File{Path: w[1], Mode: 0o644, Data: object(w[2], w[3:])})
		}
	}
	for _, f := range a.Files {
		if name, ok := strings.CutPrefix(f.Name, "script/"); ok {
			d.Scripts[name] = string(f.Data)
			if d.Format == pkgfmt.Deb {
				d.Scripts[name] = "#!/bin/sh\n" + string(f.Data)
			}
		}
		if name, ok := strings.CutPrefix(f.Name, "root/"); ok {
			d.Files = append(d.Files, pkgfmt.File{Path: "/" + name, Mode: 0o644, Data: f.Data})
		}
	}
	for i, f := range d.Files {
		if mode, ok := modes[f.Path]; ok {
			d.Files[i].Mode = fs.FileMode(mode & 0o777)
			d.special[f.Path] = mode
		}
	}
	slices.SortFunc(d.Files, func(a, b pkgfmt.File) int { return strings.Compare(a.Path, b.Path) })
	return d
}

// write writes the package into dir and returns its path.
func (d draft) write(t testing.TB, dir string) string {
	var out bytes.Buffer
	if d.Format == pkgfmt.Deb {
		d.deb(t, &out)
	} else if err := write.To(d.Package, &out); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, write.FileName(d.Package))
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// deb writes a .deb without the care of package write, which refuses much of
// what is to be judged here.
func (d draft) deb(t testing.TB, out *bytes.Buffer) {
	control := fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: %s\n", d.Name, d.Version.Upstream, d.Arch, d.Maintainer)
	if len(d.Relations.Depends) > 0 {
		control += "Depends: " + strings.Join(d.Relations.Depends, ", ") + "\n"
	}
	control += "Description: " + d.Summary + "\n"
	scripts := []tarEntry{{name: "./control", data: []byte(control)}}
	for _, name := range []string{"postinst", "postrm", "preinst", "prerm"} {
		if text, ok := d.Scripts[name]; ok {
			scripts = append(scripts, tarEntry{name: "./" + name, mode: 0o755, data: []byte(text)})
		}
	}
	var files []tarEntry
	made := map[string]bool{}
	for _, f := range d.Files {
		for i := range f.Path[1:] {
			if dir := f.Path[:i+1]; i > 0 && f.Path[i] == '/' && !made[dir[:i]] {
				made[dir[:i]] = true
				files = append(files, tarEntry{name: "." + dir[:i] + "/", kind: tar.TypeDir, mode: 0o755})
			}
		}
		e := tarEntry{name: "." + f.Path, mode: int64(f.Mode), data: f.Data, link: f.Target, owner: d.owners[f.Path]}
		if mode, ok := d.special[f.Path]; ok {
			e.mode = int64(mode)
		}
		if f.Kind == pkgfmt.Link {
			e.kind = tar.TypeSymlink
		}
		files = append(files, e)
	}
	out.WriteString("!<arch>\n")
	member(out, "debian-binary", []byte("2.0\n"))
	member(out, "control.tar", tarOf(t, scripts))
	member(out, "data.tar", tarOf(t, files))
}

type tarEntry struct {
	name, link, owner string
	kind              byte
	mode              int64
	data              []byte
}

func tarOf(t testing.TB, entries []tarEntry) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Linkname: e.link, Typeflag: e.kind, Mode: e.mode, Uname: "root", Gname: "root", Size: int64(len(e.data))}
		if e.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if e.owner != "" {
			h.Uname, h.Uid = e.owner, 1000
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// member writes a member of ar(5).
func member(out *bytes.Buffer, name string, data []byte) {
	fmt.Fprintf(out, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", name, 0, 0, 0, "100644", len(data))
	out.Write(data)
	if len(data)%2 == 1 {
		out.WriteByte('\n')
	}
}

// object is an ELF file of a type (rel, exec, dyn) with words TAG=TEXT for
// .modinfo; `debug` adds .debug_info and `signed` a signature of sorts.
func object(kind string, words []string) []byte {
	types := map[string]elf.Type{"rel": elf.ET_REL, "exec": elf.ET_EXEC, "dyn": elf.ET_DYN}
	sections := []struct {
		name string
		data []byte
	}{{}}
	info, signed := []byte{}, false
	for _, word := range words {
		switch word {
		case "debug":
			sections = append(sections, struct {
				name string
				data []byte
			}{".debug_info", []byte("debug")})
		case "signed":
			signed = true
		default:
			info = append(append(info, strings.ReplaceAll(word, "_SMP", " SMP")...), 0)
		}
	}
	if len(info) > 0 {
		sections = append(sections, struct {
			name string
			data []byte
		}{".modinfo", info})
	}
	names := []byte{0}
	for _, s := range sections[1:] {
		names = append(append(names, s.name...), 0)
	}
	names = append(names, ".shstrtab\x00"...)
	sections = append(sections, struct {
		name string
		data []byte
	}{".shstrtab", names})

	var body bytes.Buffer
	headers := make([]elf.Section64, len(sections))
	at, name := uint64(64), uint32(1)
	for i, s := range sections {
		if i == 0 {
			continue
		}
		kind := elf.SHT_PROGBITS
		if s.name == ".shstrtab" {
			kind = elf.SHT_STRTAB
		}
		headers[i] = elf.Section64{Name: name, Type: uint32(kind), Off: at, Size: uint64(len(s.data)), Addralign: 1}
		name += uint32(len(s.name)) + 1
		at += uint64(len(s.data))
		body.Write(s.data)
	}
	head := elf.Header64{Type: uint16(types[kind]), Machine: uint16(elf.EM_X86_64), Version: 1, Shoff: at, Ehsize: 64, Shentsize: 64,
		Shnum: uint16(len(sections)), Shstrndx: uint16(len(sections) - 1)}
	copy(head.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	var out bytes.Buffer
	for _, part := range []any{head, body.Bytes(), headers} {
		if err := binary.Write(&out, binary.LittleEndian, part); err != nil {
			panic(err)
		}
	}
	if signed {
		out.WriteString("sig\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x03~Module signature appended~\n")
	}
	return out.Bytes()
}

// TestPackages judges packages of both formats.
func TestPackages(t *testing.T) {
	t.Parallel()
	archives(t, "testdata/packages/*.txtar", func(t *testing.T, file string, a *txtar.Archive) {
		dir := t.TempDir()
		made := draftOf(t, a).write(t, dir)
		findings, err := Path(context.Background(), made)
		if err != nil {
			t.Fatal(err)
		}
		for i := range findings {
			findings[i].File = strings.Replace(findings[i].File, path.Dir(made)+"/", "", 1)
		}
		compare(t, file, findings, dir)
	})
}
