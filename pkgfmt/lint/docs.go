package lint

import (
	"fmt"
	"io"
	"strings"
)

// WriteDocs writes docs/lint-rules.md: what the rules are and how to live with
// them, in Markdown.
func WriteDocs(w io.Writer) error {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(docsHead, "~", "`"))
	for _, scope := range []struct{ name, title string }{
		{ofConf, "Rules about a dkms.conf"}, {ofTree, "Rules about a tree"}, {ofPackage, "Rules about a package"},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| rule | severity | what is wrong | what to do |\n|---|---|---|---|\n", scope.title)
		for _, r := range Rules() {
			if r.Scope == scope.name {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Name, r.Severity, cell(r.Text), cell(r.Hint))
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell makes a text fit for a table: a bar would end the cell, and < begin HTML.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`, "_", `\_`, "#", `\#`).Replace(s)
}

// docsHead stands before the tables; ~ is a backquote.
const docsHead = `<!-- made of the table in pkgfmt/lint/rules.go: go test ./pkgfmt/lint -run TestDocs -update -->
# What dkms-mkpkg lint looks for

    dkms-mkpkg lint DIR        # a tree with a dkms.conf
    dkms-mkpkg lint FILE       # a dkms.conf by itself, a .deb or an .rpm

Each finding is a line ~file:line: severity: text [rule]~, with a hint below it. What is inside a package is called
~PACKAGE!/path~, a script of a package ~PACKAGE!%preun~.

An **error** makes a package that does not work, or harms the machine that installs it; a **warning** works in some places
only; a **note** is worth knowing and no reason to act. Where a rule cannot be sure, what would be a warning is a note: a
Makefile that cannot be followed to its end, a script that may ask ~uname~ only where nothing else tells.

A dkms.conf is evaluated for three kernels that are on no machine. It may start programs that read and print and no others
(see [dkms-conf.md](dkms-conf.md)); what it would have started is told from its text. A package is unpacked into a private
directory, without its links and modes, and up to fixed limits.

## To ignore a rule

A comment in the dkms.conf on a line of its own has rules ignored for the whole package, its other files included; one behind
something has them ignored for that line:

    # lint: ignore deprecated-clean sources-file
    VERSION=$(git describe)   # lint: ignore external-program

## For other programs

~--json~ prints ~{"findings": [{"rule", "severity", "file", "line", "text", "hint"}, …]}~; line and hint are left out where
there is none. ~--sarif~ prints a SARIF 2.1.0 log, which code hosts show beside the lines.
`
