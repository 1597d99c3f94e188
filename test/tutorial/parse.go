package tutorial

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A Console is one block of commands, typed one after the other by one person.
type Console struct {
	Root     bool // after "#", not "$"
	Commands []Command
}

// A Command is what is typed, and what the tutorial says it prints.
type Command struct {
	Text   string // with its here-document
	Prints []string
}

// Read returns the tutorial of the project that the test belongs to.
func Read(tb testing.TB, project string) []Console {
	tb.Helper()
	path := filepath.Join(project, "docs/mkpkg-tutorial.md")
	text, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	all, err := parse(string(text))
	if err != nil {
		tb.Fatalf("%s:%v", path, err)
	}
	return all
}

// parse returns the console blocks of a document. It refuses whatever looks like
// a command and is none of a block's, so that all commands are typed by tests.
func parse(text string) (all []Console, err error) {
	var p parser
	for i, line := range strings.Split(text, "\n") {
		if problem := p.line(line); problem != "" {
			return nil, fmt.Errorf("%d: %s: %q", i+1, problem, line)
		}
	}
	if p.inside {
		return nil, fmt.Errorf("%d: a block does not end", strings.Count(text, "\n"))
	}
	return p.all, nil
}

type parser struct {
	all              []Console
	inside, document bool // a block, a here-document
}

// line takes one, and says what is wrong with it.
func (p *parser) line(line string) (problem string) {
	trimmed := strings.TrimSpace(line)
	switch {
	case p.document:
		text := &p.last().Text
		*text += "\n" + line
		p.document = line != "END"
	case strings.HasPrefix(trimmed, "```"):
		return p.fence(line)
	case !p.inside:
		if strings.HasPrefix(trimmed, "$ ") || strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t") {
			return "a command outside of a block"
		}
	case strings.HasPrefix(line, "$ "), strings.HasPrefix(line, "# "):
		return p.command(line[2:], line[0] == '#')
	case p.last() == nil:
		return "a block begins with what no command prints"
	default:
		c := p.last()
		c.Prints = append(c.Prints, line)
	}
	return ""
}

func (p *parser) fence(line string) string {
	if p.inside && p.last() == nil {
		return "a block without commands"
	}
	if !p.inside {
		if line != "```console" {
			return "a block that is no console's"
		}
		p.all = append(p.all, Console{})
	}
	p.inside = !p.inside
	return ""
}

func (p *parser) command(text string, root bool) string {
	c := &p.all[len(p.all)-1]
	if len(c.Commands) > 0 && c.Root != root {
		return "a block that two people type"
	}
	c.Root = root
	c.Commands = append(c.Commands, Command{Text: text})
	p.document = strings.HasSuffix(text, "<<'END'")
	if !p.document && strings.Contains(text, "<<") {
		return "a here-document that is not <<'END'"
	}
	return ""
}

// last is the command that was typed last in the block, nil if there is none.
func (p *parser) last() *Command {
	c := &p.all[len(p.all)-1]
	if len(c.Commands) == 0 {
		return nil
	}
	return &c.Commands[len(c.Commands)-1]
}
