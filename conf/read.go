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

// mapfile does all of bash's options but callbacks.
func mapfile(hc interp.HandlerContext, args []string) []string {
	name, origin, count, skip := "MAPFILE", 0, 0, 0
	delimiter, trim, clear := byte('\n'), false, true
	rest := args[1:]
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' {
		flag, value := rest[0][1], rest[0][2:]
		rest = rest[1:]
		if flag == 't' {
			trim = true
			if value != "" {
				rest = append([]string{"-" + value}, rest...)
			}
			continue
		}
		if value == "" {
			if len(rest) == 0 {
				return []string{statusCommand, "2"}
			}
			value, rest = rest[0], rest[1:]
		}
		n, _ := strconv.Atoi(value)
		switch flag {
		case 'd':
			delimiter = 0
			if value != "" {
				delimiter = value[0]
			}
		case 'n':
			count = n
		case 'O':
			origin, clear = n, false
		case 's':
			skip = n
		case 'u':
			if value != "0" {
				return []string{statusCommand, "1"}
			}
		default:
			return []string{statusCommand, "2"}
		}
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
	if clear {
		out = append(out, name+"=()")
	}
	for i := 0; len(data) > 0 && (count == 0 || i < skip+count); i++ {
		line, end := data, len(data)
		if cut := strings.IndexByte(string(data), delimiter); cut >= 0 {
			line, end = data[:cut+1], cut+1
			if trim {
				line = data[:cut]
			}
		}
		data = data[end:]
		if i >= skip {
			out = append(out, name+"["+strconv.Itoa(origin+i-skip)+"]="+quote(string(line)))
		}
	}
	return []string{"eval", strings.Join(out, "; ")}
}
