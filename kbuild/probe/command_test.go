package probe

import (
	"slices"
	"testing"
)

func TestPrograms(t *testing.T) {
	t.Parallel()
	for command, want := range map[string][]string{
		`   gcc-12 -Werror -D__KERNEL__ -std=gnu11 -c -x c /dev/null -o "$TMP"`:                                                                               {"gcc-12"},
		`gcc -Wno-format -c -x c /dev/null -o "$TMPO"`:                                                                                                        {"gcc"},
		`/opt/x/x86_64-linux-gnu-gcc-12 -O2 -c -x c /dev/null -o "$TMP"`:                                                                                      {"/opt/x/x86_64-linux-gnu-gcc-12"},
		`ccache gcc-12 -O2 -c -x c /dev/null -o "$TMP"`:                                                                                                       {"ccache", "gcc-12"},
		`clang -O2 --param ssp-buffer-size=4 -c -x c /dev/null -o "$TMP"`:                                                                                     {"clang"},
		`gcc -fmacro-prefix-map=/usr/src/linux/= -c -x c /dev/null -o "$TMP"`:                                                                                 {"gcc"},
		`printf "%b\n" "vpgatherdd\t%%ymm0" | gcc -c -x assembler-with-cpp -o "$TMP" -`:                                                                       {"gcc"},
		`echo 'long long x; void f(void){x++;}' | gcc -w -x c - -c -o "$TMP.base" && nm "$TMP.base" | grep ' U ' > "$TMP.u" || true ; cmp -s "$TMP.u" "$TMP"`: {"cmp", "gcc", "grep", "nm"},
		` ld -m elf_x86_64 -z noexecstack --no-warn-rwx-segments -v`:                                                                                          {"ld"},
		`ld.lld -v`: {"ld.lld"},

		``:                                     nil,
		`true`:                                 nil, // asks nobody
		`gcc hello.c`:                          nil,
		`gcc -c -x c /dev/null -o hello.o`:     nil,
		`gcc -c -x c /dev/null -o /etc/passwd`: nil,
		`gcc -c -x c "$TMP/../x" -o "$TMP"`:    nil,
		`gcc -include linux/kconfig.h -c -x c /dev/null -o "$TMP"`:   nil,
		`gcc -I/usr/src/x -c -x c /dev/null -o "$TMP"`:               nil,
		`gcc -fplugin=latent.so -c -x c /dev/null -o "$TMP"`:         nil,
		`gcc -fplugin=./scripts/x.so -c -x c /dev/null -o "$TMP"`:    nil,
		`gcc -specs=my -c -x c /dev/null -o "$TMP"`:                  nil,
		`gcc @options -c -x c /dev/null -o "$TMP"`:                   nil,
		`gcc -Wp,-MD,x.d -c -x c /dev/null -o "$TMP"`:                nil,
		`gcc -march=native -c -x c /dev/null -o "$TMP"`:              nil,
		`gcc -B/opt -c -x c /dev/null -o "$TMP"`:                     nil,
		`gcc --sysroot=/opt -c -x c /dev/null -o "$TMP"`:             nil,
		`gcc -c -x c - -o "$TMP" < hello.c`:                          nil,
		`cat hello.c | gcc -c -x c - -o "$TMP"`:                      nil,
		`echo '#include <linux/kernel.h>' | gcc -c -x c - -o "$TMP"`: nil,
		`printf ".incbin \"x\"" | gcc -c -x assembler - -o "$TMP"`:   nil,
		"gcc `cat flags` -c -x c /dev/null -o \"$TMP\"":              nil,
		`gcc $FLAGS -c -x c /dev/null -o "$TMP"`:                     nil,
		`gcc $(cat flags) -c -x c /dev/null -o "$TMP"`:               nil,
		`gcc *.c -c -x c /dev/null -o "$TMP"`:                        nil,
		`FLAGS=1 gcc -c -x c /dev/null -o "$TMP"`:                    nil,
		`! gcc -c -x c /dev/null -o "$TMP"`:                          nil,
		`gcc -c -x c /dev/null -o "$TMP" &`:                          nil,
		`cd /x && gcc -c -x c /dev/null -o "$TMP"`:                   nil,
		`./gcc -c -x c /dev/null -o "$TMP"`:                          nil,
		`sh scripts/gcc-check.sh gcc`:                                nil,
		`if gcc; then true; fi`:                                      nil,
		`gcc "`:                                                      nil,
		`gcc -c -x c /dev/null > /etc/passwd`:                        nil,
		`gcc -c -x c /dev/null >> "$TMP"`:                            nil,
		`grep x /etc/passwd`:                                         nil,
		`ld -T script -v`:                                            nil,
	} {
		got, ok := programs(command)
		if ok != (want != nil) || !slices.Equal(got, want) && ok {
			t.Errorf("programs(%s) = %v, %v; want %v", command, got, ok, want)
		}
	}
}
