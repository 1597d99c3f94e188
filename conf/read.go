package conf

import (
	"io"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

// readMore does the forms of `read` that mvdan.cc/sh refuses: with a
// delimiter, a count of characters, a time limit (input never keeps us
// waiting) or a file descriptor.
func readMore(hc interp.HandlerContext, args []string) []string {
	opt := readOptions{delimiter: '\n', count: -1}
	names, ok := opt.parse(args[1:])
	if !ok {
		return []string{statusCommand, "2"}
	}
	if !opt.special {
		return args
	}
	if opt.fd != "" && opt.fd != "0" {
		return []string{statusCommand, "1"}
	}
	text, ended := opt.from(hc.Stdin)
	if len(names) == 0 && opt.array == "" {
		return assignments([]string{"REPLY=" + quote(text)}, ended)
	}
	cfg := &expand.Config{Env: hc.Env}
	var out []string
	if opt.array != "" {
		var quoted []string
		for _, field := range expand.ReadFields(cfg, text, -1, opt.raw) {
			quoted = append(quoted, quote(field))
		}
		return assignments([]string{opt.array + "=(" + strings.Join(quoted, " ") + ")"}, ended)
	}
	fields := expand.ReadFields(cfg, text, len(names), opt.raw)
	for i, name := range names {
		value := ""
		if i < len(fields) {
			value = fields[i]
		}
		out = append(out, name+"="+quote(value))
	}
	return assignments(out, ended)
}

// assignments is an `eval` that assigns and then has the status of `read`.
func assignments(list []string, ended bool) []string {
	text := strings.Join(list, "; ")
	if ended {
		text += "; " + statusCommand + " 1"
	}
	return []string{"eval", text}
}

type readOptions struct {
	raw, special bool
	array, fd    string
	delimiter    byte
	count        int
	exactly      bool
}

// parse reads the options of `read`; it returns the names that follow.
func (o *readOptions) parse(args []string) (names []string, ok bool) {
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		word := args[0][1:]
		args = args[1:]
		if word == "-" {
			break
		}
		for i := 0; i < len(word); i++ {
			c := word[i]
			if !strings.ContainsRune("adinNptu", rune(c)) {
				o.raw = o.raw || c == 'r'
				continue
			}
			value := word[i+1:]
			if value == "" {
				if len(args) == 0 {
					return nil, false
				}
				value, args = args[0], args[1:]
			}
			o.option(c, value)
			break
		}
	}
	for _, name := range args {
		name, _, _ = strings.Cut(name, "[")
		if !syntax.ValidName(name) {
			return nil, false
		}
	}
	for _, name := range args {
		o.special = o.special || strings.Contains(name, "[")
	}
	return args, true
}

func (o *readOptions) option(c byte, value string) {
	switch c {
	case 'a':
		o.array = value
		return
	case 'd':
		o.delimiter = 0
		if value != "" {
			o.delimiter = value[0]
		}
	case 'n', 'N':
		o.count, _ = strconv.Atoi(value)
		o.exactly = c == 'N'
	case 'u':
		o.fd = value
	}
	o.special = true
}

// from reads up to the delimiter; ended tells that the input ended first.
func (o *readOptions) from(in io.Reader) (text string, ended bool) {
	var out []byte
	var one [1]byte
	escaped := false
	for in != nil && o.count != 0 && len(out) < memoryLimit {
		if n, err := in.Read(one[:]); n == 0 || err != nil {
			return string(out), true
		}
		c := one[0]
		if !o.exactly && c == o.delimiter && !escaped {
			return string(out), false
		}
		if escaped && c == '\n' {
			out = out[:len(out)-1]
		} else {
			out = append(out, c)
		}
		escaped = !o.raw && c == '\\' && !escaped
		if o.count--; o.count == 0 {
			return string(out), false
		}
	}
	return string(out), in == nil
}

// mapfileOptions are those of bash's mapfile, callbacks excepted.
type mapfileOptions struct {
	origin, count, skip int
	delimiter           byte
	trim, keep          bool
}

// parse takes the options off args; status is that of a refusal, or empty.
func (o *mapfileOptions) parse(args []string) (rest []string, status string) {
	for rest = args; len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-'; {
		flag, value := rest[0][1], rest[0][2:]
		rest = rest[1:]
		if flag == 't' {
			o.trim = true
			if value != "" {
				rest = append([]string{"-" + value}, rest...)
			}
			continue
		}
		if value == "" {
			if len(rest) == 0 {
				return nil, "2"
			}
			value, rest = rest[0], rest[1:]
		}
		if status := o.set(flag, value); status != "" {
			return nil, status
		}
	}
	return rest, ""
}

func (o *mapfileOptions) set(flag byte, value string) (status string) {
	n, _ := strconv.Atoi(value)
	switch flag {
	case 'd':
		o.delimiter = 0
		if value != "" {
			o.delimiter = value[0]
		}
	case 'n':
		o.count = n
	case 'O':
		o.origin, o.keep = n, true
	case 's':
		o.skip = n
	case 'u':
		if value != "0" {
			return "1"
		}
	default:
		return "2"
	}
	return ""
}

// mapfile does all of bash's options but callbacks.
func mapfile(hc interp.HandlerContext, args []string) []string {
	name, o := "MAPFILE", mapfileOptions{delimiter: '\n'}
	rest, status := o.parse(args[1:])
	if status != "" {
		return []string{statusCommand, status}
	}
	if len(rest) > 0 {
		name = rest[0]
	}
	if !syntax.ValidName(name) {
		return []string{statusCommand, "1"}
	}
	var data []byte
	if hc.Stdin != nil {
		data, _ = io.ReadAll(io.LimitReader(hc.Stdin, memoryLimit))
	}
	var out []string
	if !o.keep {
		out = append(out, name+"=()")
	}
	for i := 0; len(data) > 0 && (o.count == 0 || i < o.skip+o.count); i++ {
		line, end := data, len(data)
		if cut := strings.IndexByte(string(data), o.delimiter); cut >= 0 {
			line, end = data[:cut+1], cut+1
			if o.trim {
				line = data[:cut]
			}
		}
		data = data[end:]
		if i >= o.skip {
			out = append(out, name+"["+strconv.Itoa(o.origin+i-o.skip)+"]="+quote(string(line)))
		}
	}
	return []string{"eval", strings.Join(out, "; ")}
}
