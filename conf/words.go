package conf

import (
	"strings"

	"mvdan.cc/sh/v3/pattern"
	"mvdan.cc/sh/v3/syntax"
)

// wordUse says how the backslashes of a word are to be read.
type wordUse int

const (
	plainWord    wordUse = iota // as outside quotes
	hereDocument                // as in a here-document
	otherWord                   // left alone, or seen to already
)

// unescape turns backslash escapes outside quotes into single quotes.
func (w *rewriter) unescape(parts []syntax.WordPart) []syntax.WordPart {
	simple := true
	for _, part := range parts {
		if lit, ok := part.(*syntax.Lit); ok && strings.Contains(lit.Value, `\`) {
			simple = false
		}
	}
	if simple {
		return parts
	}
	w.changed = true
	var out []syntax.WordPart
	for _, part := range parts {
		lit, ok := part.(*syntax.Lit)
		if !ok {
			out = append(out, part)
			continue
		}
		for s := lit.Value; s != ""; {
			before, after, found := strings.Cut(s, `\`)
			if before != "" {
				out = append(out, literal(lit, before))
			}
			s = ""
			if found && after != "" {
				n := len(after) - len(strings.TrimPrefix(after, string([]rune(after)[:1])))
				if after[:n] != "\n" {
					out = append(out, single(lit, after[:n]))
				}
				s = after[n:]
			} else if found {
				out = append(out, single(lit, `\`))
			}
		}
	}
	return out
}

// expansion readies the words inside ${…}: of a pattern mvdan.cc/sh drops the
// quotes, of anything else it leaves the backslashes.
func (w *rewriter) expansion(p *syntax.ParamExp, quoted bool) {
	if p.Repl != nil {
		if p.Repl.Orig != nil {
			w.done[p.Repl.Orig] = otherWord
		}
		if p.Repl.With != nil {
			w.done[p.Repl.With] = otherWord
			p.Repl.With.Parts = w.unescape(p.Repl.With.Parts)
		}
		return
	}
	if p.Exp == nil || p.Exp.Word == nil {
		return
	}
	w.done[p.Exp.Word] = otherWord
	switch p.Exp.Op {
	case syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		p.Exp.Word.Parts = w.quotedPattern(p.Exp.Word.Parts)
	case syntax.OtherParamOps:
	default:
		if !quoted {
			p.Exp.Word.Parts = w.unescape(p.Exp.Word.Parts)
			return
		}
		for i, part := range p.Exp.Word.Parts {
			if lit, ok := part.(*syntax.Lit); ok && strings.Contains(lit.Value, `\`) {
				p.Exp.Word.Parts[i] = &syntax.DblQuoted{Left: lit.Pos(), Right: lit.End(), Parts: []syntax.WordPart{lit}}
				w.changed = true
			}
		}
	}
}

// quotedPattern writes the quoted parts of a pattern with backslashes.
func (w *rewriter) quotedPattern(parts []syntax.WordPart) []syntax.WordPart {
	for i, part := range parts {
		text, ok := quotedText(part)
		if ok && pattern.HasMeta(text, 0) {
			parts[i] = literal(part, pattern.QuoteMeta(text, 0))
			w.changed = true
		}
	}
	return parts
}

// quotedText is the text of a quoted part without expansions.
func quotedText(part syntax.WordPart) (string, bool) {
	switch part := part.(type) {
	case *syntax.SglQuoted:
		return part.Value, !part.Dollar
	case *syntax.DblQuoted:
		text := ""
		for _, inner := range part.Parts {
			lit, ok := inner.(*syntax.Lit)
			if !ok || strings.Contains(lit.Value, `\`) {
				return "", false
			}
			text += lit.Value
		}
		return text, true
	}
	return "", false
}

// substitution makes commands of the expansions that mvdan.cc/sh lacks:
// anchored replacement, extended patterns, and the size of an associative
// array. It returns nil for all others.
func (w *rewriter) substitution(p *syntax.ParamExp) *syntax.CmdSubst {
	if p.Param == nil {
		return nil
	}
	if p.Length && w.assoc[p.Param.Value] && isAll(p.Index) {
		keys := param(p, p.Param.Value)
		keys.Excl, keys.Index = true, p.Index
		call := callTo(p, countCommand)
		call.Args = append(call.Args, doubleQuoted(p, keys))
		w.changed = true
		return commandSubstitution(p, call)
	}
	op, pat := patternOf(p)
	if pat == nil {
		return nil
	}
	value := param(p, p.Param.Value)
	value.Index, value.Excl = p.Index, p.Excl
	if isAll(p.Index) {
		value.Index = word(p, "@")
	}
	call := callTo(p, replaceCommand)
	call.Args = append(call.Args,
		&syntax.Word{Parts: []syntax.WordPart{single(p, op)}},
		&syntax.Word{Parts: w.patternParts(pat.Parts)})
	with := doubleQuoted(p)
	if p.Repl != nil && p.Repl.With != nil {
		with = &syntax.Word{Parts: quoteExpansions(w.unescape(p.Repl.With.Parts))}
		if len(with.Parts) == 0 {
			with = doubleQuoted(p)
		}
	}
	call.Args = append(call.Args, with, doubleQuoted(p, value))
	w.changed = true
	return commandSubstitution(p, call)
}

// eachElement undoes the quotes of "${a[@]/#x/y}" where it is a word by
// itself, since what becomes of it must be one word for each element. (Words
// with blanks in them come apart.)
func (w *rewriter) eachElement(parts []syntax.WordPart) []syntax.WordPart {
	if len(parts) != 1 {
		return parts
	}
	dq, ok := parts[0].(*syntax.DblQuoted)
	if !ok || len(dq.Parts) != 1 {
		return parts
	}
	p, ok := dq.Parts[0].(*syntax.ParamExp)
	if !ok || !isAll(p.Index) || p.Length {
		return parts
	}
	if index, _ := p.Index.(*syntax.Word); index.Lit() != "@" {
		return parts
	}
	if cs := w.substitution(p); cs != nil {
		return []syntax.WordPart{cs}
	}
	return parts
}

// patternOf returns the operator and pattern of an expansion that we do
// ourselves: ${x/#a/b} is "/#", ${x%%a} is "%%".
func patternOf(p *syntax.ParamExp) (op string, pat *syntax.Word) {
	switch {
	case p.Repl != nil && p.Repl.Orig != nil && len(p.Repl.Orig.Parts) > 0:
		op, pat = "/", p.Repl.Orig
		if p.Repl.All {
			op = "//"
		}
		first, ok := pat.Parts[0].(*syntax.Lit)
		if ok && !p.Repl.All && first.Value != "" && strings.Contains("#%", first.Value[:1]) {
			rest := append([]syntax.WordPart{literal(first, first.Value[1:])}, pat.Parts[1:]...)
			return "/" + first.Value[:1], &syntax.Word{Parts: rest}
		}
	case p.Exp != nil && p.Exp.Word != nil:
		switch p.Exp.Op {
		case syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix:
			op, pat = p.Exp.Op.String(), p.Exp.Word
		}
	}
	if pat == nil || !extended(pat) {
		return "", nil
	}
	return op, pat
}

// extended reports whether a pattern has an extended operator, as +(…).
func extended(pat *syntax.Word) bool {
	for _, part := range pat.Parts {
		switch part := part.(type) {
		case *syntax.ExtGlob:
			return true
		case *syntax.Lit:
			for i := 1; i < len(part.Value); i++ {
				if part.Value[i] == '(' && strings.IndexByte("?*+@!", part.Value[i-1]) >= 0 {
					return true
				}
			}
		}
	}
	return false
}

// patternParts makes a word whose value is the pattern, what was quoted
// escaped.
func (w *rewriter) patternParts(parts []syntax.WordPart) []syntax.WordPart {
	var out []syntax.WordPart
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			out = append(out, single(part, part.Value))
		case *syntax.ExtGlob:
			out = append(out, single(part, part.Op.String()+part.Pattern.Value+")"))
		default:
			if text, ok := quotedText(part); ok {
				out = append(out, single(part, pattern.QuoteMeta(text, 0)))
				continue
			}
			out = append(out, quoteExpansions([]syntax.WordPart{part})...)
		}
	}
	return out
}

// quoteExpansions keeps expansions from being split.
func quoteExpansions(parts []syntax.WordPart) []syntax.WordPart {
	var out []syntax.WordPart
	for _, part := range parts {
		switch part.(type) {
		case *syntax.ParamExp, *syntax.CmdSubst, *syntax.ArithmExp:
			part = &syntax.DblQuoted{Left: part.Pos(), Right: part.End(), Parts: []syntax.WordPart{part}}
		}
		out = append(out, part)
	}
	return out
}

func doubleQuoted(at syntax.Node, parts ...syntax.WordPart) *syntax.Word {
	return &syntax.Word{Parts: []syntax.WordPart{&syntax.DblQuoted{Left: at.Pos(), Right: at.Pos(), Parts: parts}}}
}

// isAll reports whether an index is @ or *.
func isAll(index syntax.ArithmExpr) bool {
	word, ok := index.(*syntax.Word)
	return ok && (word.Lit() == "@" || word.Lit() == "*")
}

// compute makes the value of a variable that was declared -i arithmetic.
func (w *rewriter) compute(as *syntax.Assign) {
	expr := arithmetic(as.Value)
	if as.Append {
		expr = &syntax.BinaryArithm{OpPos: as.Pos(), Op: syntax.Add, X: word(as, as.Name.Value),
			Y: &syntax.ParenArithm{Lparen: as.Pos(), Rparen: as.Pos(), X: expr}}
	}
	as.Append = false
	as.Value = &syntax.Word{Parts: []syntax.WordPart{&syntax.ArithmExp{Left: as.Pos(), Right: as.End(), X: expr}}}
	w.changed = true
}

// let parses the quoted expressions of `let`.
func (w *rewriter) let(l *syntax.LetClause) {
	for i, expr := range l.Exprs {
		if word, ok := expr.(*syntax.Word); ok {
			l.Exprs[i] = arithmetic(word)
			w.changed = w.changed || l.Exprs[i] != expr
		}
	}
}

// arithmetic parses the text of a word without expansions; a word with them
// stands as it is.
func arithmetic(value *syntax.Word) syntax.ArithmExpr {
	text := value.Lit()
	if len(value.Parts) == 1 && text == "" {
		text, _ = quotedText(value.Parts[0])
	}
	if text == "" {
		return value
	}
	parser := syntax.NewParser(syntax.Variant(syntax.LangBash))
	if expr, err := parser.Arithmetic(strings.NewReader(text)); err == nil && expr != nil {
		return expr
	}
	return value
}
