package read

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// reportOf tells what p says of itself.
func reportOf(p *Package) *Report {
	r := &Report{
		Schema: Schema, File: p.Path, Format: string(p.Format),
		Name: p.Name, Version: p.Version.String(), Arch: p.Arch,
		Epoch: p.Version.Epoch, Upstream: p.Version.Upstream, Revision: p.Version.Revision,
		Summary: p.Summary, Description: p.Description, License: p.License, Homepage: p.Homepage,
		Maintainer: p.Maintainer, Vendor: p.Vendor, Section: p.Section, Source: p.Source,
		Built: timeText(p.Time), Size: p.Size, Compression: p.Compression,
		Signatures: []SignatureReport{}, Fields: []FieldReport{}, Relations: []RelationReport{}, Scripts: []ScriptReport{},
		Triggers: []TriggerReport{}, Files: make([]FileReport, 0, len(p.Files)),
	}
	for _, s := range p.Signatures {
		r.Signatures = append(r.Signatures, SignatureReport{Over: s.Over, Algorithm: s.Algorithm, Key: s.KeyID, Time: timeText(s.Time), Problem: s.Problem})
	}
	for _, f := range p.Fields {
		r.Fields = append(r.Fields, FieldReport(f))
	}
	for _, d := range p.Relations {
		r.Relations = append(r.Relations, RelationReport{Kind: d.Kind, Text: d.Text, When: list(d.When)})
	}
	for _, s := range p.Scripts {
		r.Scripts = append(r.Scripts, ScriptReport(s))
	}
	for _, t := range p.Triggers {
		r.Triggers = append(r.Triggers, TriggerReport{Kind: t.Kind, Names: list(t.Names), Program: t.Program, Text: t.Text, Priority: t.Priority})
	}
	for _, f := range p.Files {
		r.Files = append(r.Files, fileReport(f))
	}
	if c := p.Change; c != nil {
		r.Change = &ChangeReport{Version: c.Version.String(), Author: c.Author, Time: timeText(c.Time), Lines: list(c.Lines)}
	}
	return r
}

func fileReport(f File) FileReport {
	return FileReport{
		Path: f.Path, Mode: fmt.Sprintf("%07o", unixMode(f)), Size: f.Size, Owner: f.Owner, Group: f.Group,
		Time: timeText(f.Time), Target: f.Target, Link: f.Link, Digest: f.Digest, Flags: f.flags(),
	}
}

// flags returns the flags in words, in the order of rpm's letters.
func (f File) flags() []string {
	words := []string{}
	for _, flag := range []struct {
		set  bool
		word string
	}{
		{f.Config, "config"}, {f.NoReplace, "noreplace"}, {f.MissingOK, "missingok"}, {f.Doc, "doc"}, {f.Licence, "license"},
		{f.Readme, "readme"}, {f.Ghost, "ghost"}, {f.Artifact, "artifact"},
	} {
		if flag.set {
			words = append(words, flag.word)
		}
	}
	return words
}

// unixMode returns st_mode, inode(7): the opposite of fileMode.
func unixMode(f File) uint32 {
	for _, kind := range []uint32{unix.S_IFREG, unix.S_IFDIR, unix.S_IFLNK, unix.S_IFIFO, unix.S_IFSOCK, unix.S_IFBLK, unix.S_IFCHR} {
		for special := uint32(0); special < 8; special++ {
			mode := kind | special<<9 | uint32(f.Mode.Perm())
			if fileMode(mode) == f.Mode {
				return mode
			}
		}
	}
	return uint32(f.Mode.Perm())
}

// list is s, and never nil.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return slices.Clone(s)
}

// timeText is RFC 3339; "" for none.
func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
