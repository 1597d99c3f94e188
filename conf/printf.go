package conf

import (
	"fmt"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/interp"
)

// printf is the builtin, which mvdan.cc/sh has without %q and precision.
// bash(1), "SHELL BUILTIN COMMANDS", printf.
func printf(hc interp.HandlerContext, args []string) []string {
	args = args[1:]
	variable := ""
	if len(args) > 1 && args[0] == "-v" {
		variable, args = args[1], args[2:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		return []string{resultCommand, "2"}
	}
	f := formatter{format: args[0], args: args[1:]}
	for {
		before := len(f.args)
		f.once()
		if f.stop || len(f.args) == 0 || len(f.args) == before || f.out.Len() > memoryLimit {
			break
		}
	}
	status := "0"
	if f.bad {
		status = "1"
	}
	if variable != "" {
		return []string{"eval", variable + "=" + quote(f.out.String()) + "; " + resultCommand + " " + status}
	}
	fmt.Fprint(hc.Stdout, f.out.String())
	return []string{resultCommand, status}
}

type formatter struct {
	format    string
	args      []string
	out       strings.Builder
	stop, bad bool
}

func (f *formatter) next() string {
	if len(f.args) == 0 {
		return ""
	}
	arg := f.args[0]
	f.args = f.args[1:]
	return arg
}

// once goes through the format one time.
func (f *formatter) once() {
	for i := 0; i < len(f.format) && !f.stop; {
		switch c := f.format[i]; c {
		case '\\':
			text, n, stop := escapeSequence(f.format[i:], false)
			f.out.WriteString(text)
			f.stop = stop
			i += n
		case '%':
			i += f.directive(f.format[i:])
		default:
			f.out.WriteByte(c)
			i++
		}
	}
}

// widthLimit bounds a width: nobody needs more, and it has to be memory.
const widthLimit = 4096

// directive does one %…; it returns its length.
func (f *formatter) directive(s string) int {
	i := 1
	for i < len(s) && strings.IndexByte("-+ #0", s[i]) >= 0 {
		i++
	}
	spec := s[:i]
	number := func() {
		start := i
		if i < len(s) && s[i] == '*' {
			i++
			spec += strconv.Itoa(min(int(toNumber(f.next(), &f.bad)), widthLimit))
			return
		}
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if n, err := strconv.Atoi(s[start:i]); err == nil {
			spec += strconv.Itoa(min(n, widthLimit))
		}
	}
	number()
	if i < len(s) && s[i] == '.' {
		spec += "."
		i++
		number()
	}
	for i < len(s) && strings.IndexByte("hlLqjzt", s[i]) >= 0 && i+1 < len(s) && strings.IndexByte("hlLjztdiouxXeEfFgG", s[i+1]) >= 0 {
		i++
	}
	if i == len(s) {
		f.bad, f.stop = true, true
		return len(s)
	}
	f.convert(spec, s[i])
	return i + 1
}

func (f *formatter) convert(spec string, verb byte) {
	switch verb {
	case '%':
		f.out.WriteByte('%')
	case 's':
		fmt.Fprintf(&f.out, spec+"s", f.next())
	case 'b':
		text, stop := expandEscapes(f.next())
		fmt.Fprintf(&f.out, spec+"s", text)
		f.stop = stop
	case 'q':
		fmt.Fprintf(&f.out, spec+"s", quoteLikeBash(f.next()))
	case 'c':
		arg := f.next()
		fmt.Fprintf(&f.out, spec+"s", arg[:min(1, len(arg))])
	case 'd', 'i':
		fmt.Fprintf(&f.out, spec+"d", toNumber(f.next(), &f.bad))
	case 'o', 'x', 'X', 'u':
		if verb == 'u' {
			verb = 'd'
		}
		fmt.Fprintf(&f.out, spec+string(verb), uint64(toNumber(f.next(), &f.bad)))
	case 'e', 'E', 'f', 'F', 'g', 'G':
		arg := f.next()
		n, err := strconv.ParseFloat(arg, 64)
		f.bad = f.bad || err != nil && arg != ""
		fmt.Fprintf(&f.out, spec+string(verb), n)
	default:
		f.bad, f.stop = true, true
	}
}

// toNumber reads an integer of C, or 'c for a character's code; what cannot
// be read counts as far as it goes.
func toNumber(s string, bad *bool) int64 {
	s = strings.TrimSpace(s)
	if len(s) > 1 && (s[0] == '\'' || s[0] == '"') {
		return int64([]rune(s[1:])[0])
	}
	if s == "" {
		return 0
	}
	if n, err := strconv.ParseInt(s, 0, 64); err == nil && !strings.Contains(s, "_") {
		return n
	}
	*bad = true
	end := 0
	for end < len(s) && (isDigit(s[end]) || end == 0 && (s[0] == '-' || s[0] == '+')) {
		end++
	}
	n, _ := strconv.ParseInt(s[:end], 10, 64)
	return n
}

// expandEscapes expands the escapes of %b and echo -e.
func expandEscapes(s string) (text string, stop bool) {
	var out strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '\\' {
			out.WriteByte(s[i])
			i++
			continue
		}
		text, n, stop := escapeSequence(s[i:], true)
		out.WriteString(text)
		if stop {
			return out.String(), true
		}
		i += n
	}
	return out.String(), false
}

// escapeSequence reads the escape that s begins with; n is its length. In an
// argument of %b octal numbers have a leading zero, and \c ends all output.
func escapeSequence(s string, argument bool) (text string, n int, stop bool) {
	if len(s) < 2 {
		return s, len(s), false
	}
	if i := strings.IndexByte(`abefnrtvE\`, s[1]); i >= 0 {
		return string("\a\b\x1b\f\n\r\t\v\x1b\\"[i]), 2, false
	}
	switch c := s[1]; {
	case c == '"' || c == '\'' || c == '?':
		if argument {
			return s[:2], 2, false
		}
		return string(c), 2, false
	case c == 'c' && argument:
		return "", 2, true
	case c == 'x':
		return number(s, 2, 2, 16)
	case c == 'u':
		return number(s, 2, 4, 16)
	case c == 'U':
		return number(s, 2, 8, 16)
	case c == '0' && argument:
		return number(s, 2, 3, 8)
	case '0' <= c && c <= '7':
		return number(s, 1, 3, 8)
	}
	return s[:2], 2, false
}

// number reads up to most digits of s from start.
func number(s string, start, most, base int) (string, int, bool) {
	end := start
	for end < len(s) && end < start+most {
		if _, err := strconv.ParseUint(s[end:end+1], base, 8); err != nil {
			break
		}
		end++
	}
	if end == start {
		if s[1] == '0' {
			return "\x00", end, false
		}
		return s[:end], end, false
	}
	n, _ := strconv.ParseUint(s[start:end], base, 32)
	if s[1] == 'u' || s[1] == 'U' {
		return string(rune(n)), end, false
	}
	return string([]byte{byte(n)}), end, false
}

// quoteLikeBash quotes with backslashes, as %q does.
func quoteLikeBash(s string) string {
	if s == "" {
		return "''"
	}
	if strings.ContainsAny(s, "\n\t\r\x1b") {
		return "$'" + strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\t", `\t`, "\r", `\r`, "\x1b", `\E`).Replace(s) + "'"
	}
	var out strings.Builder
	for i, r := range s {
		if strings.ContainsRune(" !\"$&'()*,;<>?[\\]^`{|}", r) || i == 0 && (r == '#' || r == '~') {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}
