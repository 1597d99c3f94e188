package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

// run makes both packages and prints their paths.
func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("packaging", flag.ContinueOnError)
	out := flags.String("o", "dist", "write the packages into `DIR`")
	version := flags.String("version", "", "the packages' `VERSION`, as tools/version prints it")
	program := flags.String("program", "bin/dkms-hook", "the built `FILE`")
	source := flags.String("source", ".", "the project is in `DIR`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r, err := readRelease(*source, *program, *version)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	for _, f := range formats() {
		path := filepath.Join(*out, f.fileName(r))
		body, err := r.pack(f)
		if err == nil {
			err = os.WriteFile(path, body, 0o644)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		fmt.Fprintln(stdout, path)
	}
	return nil
}

// A release is what the packages are made from.
type release struct {
	version string    // fits both formats
	time    time.Time // of everything in the packages
	program []byte    // the program, static
	licence []byte    // ours
	legal   []byte    // ours and those of what is linked
	log     []section // newest first
}

// versionWords is what both formats take for the version proper: Debian policy
// 5.6.12 without epoch and revision, and RPM's naming rules.
var versionWords = regexp.MustCompile(`^[0-9][A-Za-z0-9.+~]*$`)

func readRelease(source, program, version string) (release, error) {
	r := release{version: version}
	if !versionWords.MatchString(version) {
		return r, fmt.Errorf("version %q: begins with no digit, or has other characters than letters, digits and .+~", version)
	}
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return r, fmt.Errorf("SOURCE_DATE_EPOCH: is no number of seconds: %w", err)
	}
	r.time = time.Unix(seconds, 0).UTC()
	if r.program, err = os.ReadFile(program); err != nil {
		return r, err
	}
	if r.licence, err = os.ReadFile(filepath.Join(source, "LICENSE")); err != nil {
		return r, err
	}
	text, err := os.ReadFile(filepath.Join(source, "CHANGELOG.md"))
	if err != nil {
		return r, err
	}
	r.log = readLog(string(text))
	linked, err := linkedModules(bytes.NewReader(r.program))
	if err != nil {
		return r, fmt.Errorf("%s: %w", program, err)
	}
	r.legal, err = legal(source, linked)
	return r, err
}

// A format is a kind of package.
type format struct {
	name     string // as entry.only has it
	fileName func(release) string
	write    func(release, []entry, io.Writer) error
}

func formats() []format {
	return []format{
		{onlyDeb, func(r release) string { return name + "_" + r.version + "_amd64.deb" }, writeDeb},
		{onlyRPM, func(r release) string { return name + "-" + r.version + "-1.x86_64.rpm" }, writeRPM},
	}
}

// pack returns the bytes of one package.
func (r release) pack(f format) ([]byte, error) {
	entries, err := r.entries(f.name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = f.write(r, entries, &b)
	return b.Bytes(), err
}
