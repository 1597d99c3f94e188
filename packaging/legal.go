package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// linkedModules are the Go modules that a program holds, as it tells itself.
func linkedModules(program io.ReaderAt) ([]string, error) {
	info, err := buildinfo.Read(program)
	if err != nil {
		return nil, fmt.Errorf("does not tell which modules it holds: %w", err)
	}
	var paths []string
	for _, m := range info.Deps {
		paths = append(paths, m.Path)
	}
	slices.Sort(paths)
	return paths, nil
}

// preamble goes behind the program's name.
const preamble = `, ` + homepage + `

Copyright: the ` + project + ` authors
Licence: Apache License, Version 2.0

Licensed under the Apache License, Version 2.0; you may not use this program
except in compliance with the License. On Debian systems its full text is in
/usr/share/common-licenses/Apache-2.0, elsewhere it lies beside this file.

The program is linked statically. The Go standard library and the modules below
are part of it. The licence of the Go standard library is that of
golang.org/x/sys.
`

// legal is the file that the licences of all that a program links ask for.
func legal(source, name string, modules []string) ([]byte, error) {
	dirs, err := moduleDirs(source, modules)
	if err != nil {
		return nil, err
	}
	b := bytes.NewBufferString(name + preamble)
	for _, path := range modules {
		text, err := licenceIn(dirs[path])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		fmt.Fprintf(b, "\n%s\n%s\n\n%s\n", path, strings.Repeat("-", len(path)), text)
	}
	return b.Bytes(), nil
}

// moduleDirs asks go where the modules lie.
func moduleDirs(source string, modules []string) (map[string]string, error) {
	cmd := exec.Command("go", append([]string{"list", "-m", "-json=Path,Dir"}, modules...)...)
	cmd.Dir = source
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -m: %w\n%s", err, stderr.String())
	}
	dirs := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var m struct{ Path, Dir string }
		switch err := dec.Decode(&m); {
		case errors.Is(err, io.EOF):
			return dirs, nil
		case err != nil:
			return nil, err
		}
		dirs[m.Path] = m.Dir
	}
}

// apacheText is the full text of the Apache License, which is there already.
var apacheText = regexp.MustCompile(`(?s)[ \t]*Apache License\s+Version 2\.0, January 2004.*?limitations under the License\.`)

// licenceIn is the text of a module's licence.
func licenceIn(dir string) (string, error) {
	for _, file := range []string{"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		switch {
		case errors.Is(err, os.ErrNotExist):
			continue
		case err != nil:
			return "", err
		}
		text = bytes.ReplaceAll(text, []byte("\r"), nil)
		text = apacheText.ReplaceAll(text, []byte("Licensed under the Apache License, Version 2.0, as this program is."))
		return string(bytes.TrimSpace(text)), nil
	}
	return "", errors.New("has no licence")
}
