package box

import (
	"os"
	"path/filepath"
	"sync"
)

// Project is where go.mod is: the tests of a package run in its folder.
var Project = sync.OnceValue(func() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	panic("no go.mod above the test")
})
