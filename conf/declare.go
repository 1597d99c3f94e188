package conf

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// declare makes `local` and `typeset` plain `declare`, and drops the flags
// that mvdan.cc/sh refuses.
func (w *rewriter) declare(d *syntax.DeclClause) {
	switch d.Variant.Value {
	case "local", "typeset":
		d.Variant, w.changed = literal(d.Variant, "declare"), true
	}
	kept := d.Args[:0]
	assoc, integer := false, false
	for _, as := range d.Args {
		flags := ""
		if as.Naked && as.Name == nil && as.Value != nil {
			flags = as.Value.Lit()
		} else if as.Naked && as.Name != nil {
			flags = as.Name.Value
		}
		if len(flags) > 1 && (flags[0] == '-' || flags[0] == '+') {
			assoc = assoc || strings.Contains(flags, "A")
			integer = integer || strings.Contains(flags, "i")
			if !usefulFlags(flags) {
				w.changed = true
				continue
			}
		}
		if as.Name != nil && integer {
			w.integer[as.Name.Value] = true
			if as.Value != nil {
				w.compute(as)
			}
		}
		if as.Name != nil && assoc {
			w.assoc[as.Name.Value] = true
			if as.Array != nil {
				quoteKeys(as.Array)
			}
		}
		kept = append(kept, as)
	}
	d.Args = kept
}

// usefulFlags reports whether mvdan.cc/sh knows what the flags of declare mean.
func usefulFlags(flags string) bool {
	return flags[0] == '-' && strings.Trim(flags[1:], "aAfgnprx") == ""
}

// quoteKeys marks the elements of an array literal as those of an associative
// array: mvdan.cc/sh goes by the quotes of the first key.
func quoteKeys(array *syntax.ArrayExpr) {
	for _, elem := range array.Elems {
		if key, ok := elem.Index.(*syntax.Word); ok {
			if _, quoted := key.Parts[0].(*syntax.DblQuoted); !quoted {
				elem.Index = &syntax.Word{Parts: []syntax.WordPart{&syntax.DblQuoted{Left: key.Pos(), Right: key.End(), Parts: key.Parts}}}
			}
		}
	}
}
