package kmod

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestReadNative(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		files map[string]string // below dpkg's directory
		want  Native
	}{
		{"no dpkg", nil, Native{Prefix: "/lib/modules"}},
		{"Debian 12: image and headers", map[string]string{
			"info/linux-image-K.list":   "/.\n/boot\n/lib/modules\n/lib/modules/K\n/lib/modules/K/kernel\n",
			"info/linux-headers-K.list": "/.\n/lib/modules/K/build\n",
			"status":                    "Package: linux-headers-K\nStatus: install ok installed\nVersion: 6.1.192-2\n\n",
		}, Native{"/lib/modules", "6.1.192-2"}},
		{"Debian 13: headers only", map[string]string{
			"info/linux-headers-K.list": "/.\n/usr\n/usr/lib/modules/K\n/usr/lib/modules/K/build\n",
			"status":                    "Package: linux-headers-K\nVersion: 6.12.1-1\nStatus: hold ok installed\n",
		}, Native{"/usr/lib/modules", "6.12.1-1"}},
		{"modules apart, for more than one architecture", map[string]string{
			"info/linux-modules-K:amd64.list": "/usr/lib/modules/K/kernel\n",
			"info/linux-headers-K.list":       "/lib/modules/K/build\n",
		}, Native{Prefix: "/usr/lib/modules"}},
		{"another kernel's, or none's", map[string]string{
			"info/linux-image-K.list": "/usr/lib/modules/K2/kernel\n/usr/lib/modules\n/usr/share/doc/lib/modules/K\n",
			"status":                  "Package: linux-headers-K\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: linux-headers-K2\nStatus: install ok installed\nVersion: 2\n",
		}, Native{Prefix: "/lib/modules"}},
		{"a field with many lines", map[string]string{
			"status": "Package: a\nConffiles:\n" + strings.Repeat(" /etc/a 0123456789\n", 5000) + "Status: install ok installed\nVersion: 1\n\nPackage: linux-headers-K\nStatus: install ok installed\nDescription: Version: 3\nVersion: 2:1.0-1\n",
		}, Native{"/lib/modules", "2:1.0-1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for name, text := range tt.files {
				put(t, filepath.Join(dir, name), text)
			}
			got, err := readNative(dir, "K")
			if got != tt.want || err != nil {
				t.Errorf("readNative = %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}
