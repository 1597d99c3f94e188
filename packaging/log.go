package main

import (
	"regexp"
	"strings"
)

// A section is what CHANGELOG.md says of one version.
type section struct {
	version string // "Unreleased" for what comes next
	changes []string
}

var emphasis = strings.NewReplacer("**", "", "`", "")

// linkTarget is the second half of a link in Markdown.
var linkTarget = regexp.MustCompile(`\]\([^)]*\)`)

// readLog reads a file in the format of keepachangelog.com: the bullets below
// each heading of the second level.
func readLog(text string) []section {
	var all []section
	open := false // a bullet may go on in the next line
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		bullet, isBullet := strings.CutPrefix(line, "* ")
		title, isTitle := strings.CutPrefix(line, "## ")
		if isTitle {
			version, _, _ := strings.Cut(strings.Trim(title, "[] "), " ")
			all = append(all, section{version: strings.TrimRight(version, "]")})
		}
		if len(all) == 0 {
			continue
		}
		last := &all[len(all)-1]
		switch {
		case isBullet:
			last.changes = append(last.changes, plain(bullet))
		case open && strings.HasPrefix(line, "  "):
			last.changes[len(last.changes)-1] += " " + plain(line)
		default:
			open = false
			continue
		}
		open = true
	}
	return all
}

func plain(s string) string {
	s = linkTarget.ReplaceAllString(s, "]")
	return strings.NewReplacer("[", "", "]", "").Replace(emphasis.Replace(strings.TrimSpace(s)))
}

// newest is what the packages say of themselves: the first section that says
// anything.
func newest(log []section) []string {
	for _, s := range log {
		if len(s.changes) > 0 {
			return s.changes
		}
	}
	return []string{"New version."}
}
