package read

import (
	"io"
	"strings"
)

// A debCopyright finds the licence in a .deb's copyright file, if it is in the
// format that can be read:
// https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
type debCopyright struct {
	name string // of the package
	text string
}

const maxCopyright = 1 << 20

func (c *debCopyright) wants(f File) bool {
	return f.Path == "/usr/share/doc/"+c.name+"/copyright" && f.Regular() && f.Size <= maxCopyright
}

func (c *debCopyright) keep(body io.Reader) error {
	text, err := io.ReadAll(body)
	c.text = string(text)
	return err
}

// license returns the licence of all files that no other paragraph is about;
// empty when the file does not say.
func (c *debCopyright) license() string {
	if !strings.HasPrefix(c.text, "Format:") {
		return ""
	}
	for paragraph := range strings.SplitSeq(c.text, "\n\n") {
		files, license := "", ""
		for line := range strings.Lines(paragraph) {
			name, value, _ := strings.Cut(line, ":")
			switch value = strings.TrimSpace(value); name {
			case "Files":
				files = value
			case "License":
				license = value
			}
		}
		if files == "*" && license != "" {
			return license
		}
	}
	return ""
}
