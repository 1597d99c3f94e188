package system

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// CheckOutput reports why WriteOutput could not write to path, before anything
// is done that the output would be about. What is at path stays as it is.
func CheckOutput(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.IsDir():
		return &fs.PathError{Op: "write", Path: path, Err: errors.New("is a directory")}
	case err == nil && !info.Mode().IsRegular():
		if err := unix.Access(path, unix.W_OK); err != nil {
			return &fs.PathError{Op: "write", Path: path, Err: err}
		}
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".output-*")
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			return &fs.PathError{Op: "write", Path: path, Err: pe.Err}
		}
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// WriteOutput writes data to the file that a person has named, whole or not at
// all; to what is no regular file, such as a link or a device, directly.
func WriteOutput(path string, data []byte) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().IsRegular() {
		return WriteFile(path, data, 0o644)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
