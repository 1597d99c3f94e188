package read

import (
	"fmt"
	"strconv"
	"strings"
)

func (r *Report) writeModules(t *text) {
	if len(r.Modules) == 0 {
		return
	}
	t.section(fmt.Sprintf("kernel modules (%d)", len(r.Modules)), func() {
		for _, m := range r.Modules {
			t.line("%s", m.Path)
			t.inside(func() { m.write(t) })
		}
	})
}

func (m ModuleReport) write(t *text) {
	if m.Vermagic == "" && m.Problem != "" {
		t.row("problem", m.Problem)
		return
	}
	t.row("name", strings.TrimSpace(m.Name+" "+m.Version))
	t.row("description", m.Description)
	t.row("license", m.License)
	t.row("vermagic", m.Vermagic)
	t.row("srcversion", m.SrcVersion)
	t.row("depends on", strings.Join(m.Depends, ", "))
	t.row("firmware", strings.Join(m.Firmware, ", "))
	t.row("signature", m.signature())
	crcs := fmt.Sprintf("%d CRCs", m.CRCs)
	if m.CRCs == 0 {
		crcs = "no CRCs"
	}
	t.row("symbols", fmt.Sprintf("needs %d (%s), exports %d", m.Needs, crcs, m.Exports))
	for _, s := range m.Needed {
		t.row("  needs", strings.TrimSpace(s.CRC+" "+s.Name))
	}
	for _, s := range m.Exported {
		t.row("  exports", strings.TrimSpace(s.CRC+" "+s.Name))
	}
	t.row("problem", m.Problem)
}

func (m ModuleReport) signature() string {
	if !m.Signed {
		return "none"
	}
	var parts []string
	for _, s := range []string{m.Signer, m.Hash, m.Key} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "there is one")
	}
	return strings.Join(parts, ", ") + " (not verified)"
}

func (r *Report) writeSources(t *text) {
	if len(r.Sources) == 0 {
		return
	}
	t.section("sources of DKMS modules", func() {
		for _, s := range r.Sources {
			t.line("%s: %s/%s", s.Dir, s.Name, s.Version)
			t.inside(func() { s.write(t) })
		}
	})
}

func (s SourceReport) write(t *text) {
	t.column("problem", s.Problems)
	t.column("module", builtLines(s.Modules))
	t.column("needs", s.Depends)
	auto := "no: nothing is built for new kernels by itself"
	if s.Autoinstall {
		auto = "yes"
	}
	t.row("autoinstall", auto)
	t.column("warning", s.Warnings)
	t.flush()
	for _, k := range s.Kernels {
		t.line("for %s (%s)", k.Release, k.Arch)
		t.inside(func() { k.write(t) })
	}
}

func (k KernelReport) write(t *text) {
	t.column("problem", k.Problems)
	t.row("excluded", k.Excluded)
	if k.Excluded == "" {
		t.row("command", k.Make)
		t.column("module", builtLines(k.Modules))
		t.column("patch", k.Patches)
		t.column("needs", k.Depends)
		for _, s := range k.Scripts {
			t.row(s.Name, s.Command)
		}
	}
	if !k.Headers {
		t.row("headers", "not here")
	}
}

// builtLines says what comes of modules: `src/foo.ko -> /updates/bar.ko`.
func builtLines(modules []BuiltReport) []string {
	lines := []string{}
	for _, m := range modules {
		line := joined(m.BuiltDir, m.Built) + " -> " + joined(m.DestDir, m.Dest)
		if !m.Strip {
			line += ", not stripped"
		}
		if m.Excluded != "" {
			line += ", excluded: " + m.Excluded
		}
		lines = append(lines, line)
	}
	return lines
}

func joined(dir, name string) string {
	if dir != "" && !strings.HasSuffix(dir, "/") {
		dir += "/"
	}
	return dir + name + ".ko"
}

// Letters writes a mode as ls(1) does.
func Letters(octal string) string {
	mode, err := strconv.ParseUint(octal, 8, 32)
	if err != nil {
		return octal
	}
	out := []byte("?rwxrwxrwx")
	if kind, ok := map[uint64]byte{0o10: '-', 0o04: 'd', 0o12: 'l', 0o01: 'p', 0o14: 's', 0o06: 'b', 0o02: 'c'}[mode>>12]; ok {
		out[0] = kind
	}
	for i := range 9 {
		if mode&(1<<(8-i)) == 0 {
			out[i+1] = '-'
		}
	}
	for i, special := range []struct{ with, without byte }{{'s', 'S'}, {'s', 'S'}, {'t', 'T'}} {
		at := 3 * (i + 1)
		switch {
		case mode&(1<<(11-i)) == 0:
		case out[at] == '-':
			out[at] = special.without
		default:
			out[at] = special.with
		}
	}
	return string(out)
}
