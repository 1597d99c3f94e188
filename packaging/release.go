package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// A release is what the packages are made from.
type release struct {
	version  string             // fits both formats
	time     time.Time          // of everything in the packages
	licence  []byte             // ours
	log      []section          // newest first
	docs     map[string][]byte  // by their names in docs
	programs map[string]program // by name
}

// A program is one that was built, static.
type program struct {
	bytes []byte
	legal []byte // our licence and those of what is linked
}

// versionWords is what both formats take for the version proper: Debian policy
// 5.6.12 without epoch and revision, and RPM's naming rules.
var versionWords = regexp.MustCompile(`^[0-9][A-Za-z0-9.+~]*$`)

// readRelease reads the project in the directory source, whose programs were
// built in another.
func readRelease(source, programs, version string) (release, error) {
	r := release{version: version, docs: map[string][]byte{}, programs: map[string]program{}}
	if !versionWords.MatchString(version) {
		return r, fmt.Errorf("version %q: begins with no digit, or has other characters than letters, digits and .+~", version)
	}
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return r, fmt.Errorf("SOURCE_DATE_EPOCH: is no number of seconds: %w", err)
	}
	r.time = time.Unix(seconds, 0).UTC()
	if r.licence, err = os.ReadFile(filepath.Join(source, "LICENSE")); err != nil {
		return r, err
	}
	text, err := os.ReadFile(filepath.Join(source, "CHANGELOG.md"))
	if err != nil {
		return r, err
	}
	r.log = readLog(string(text))
	for _, o := range products {
		if r.programs[o.name], err = readProgram(source, filepath.Join(programs, o.name)); err != nil {
			return r, err
		}
		for _, name := range o.docs {
			if r.docs[name], err = os.ReadFile(filepath.Join(source, "docs", name)); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

func readProgram(source, path string) (program, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return program{}, err
	}
	linked, err := linkedModules(bytes.NewReader(data))
	if err != nil {
		return program{}, fmt.Errorf("%s: %w", path, err)
	}
	text, err := legal(source, filepath.Base(path), linked)
	return program{bytes: data, legal: text}, err
}
