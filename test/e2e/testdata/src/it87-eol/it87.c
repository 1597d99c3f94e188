// SPDX-License-Identifier: GPL-2.0
/* Stands in for the driver of the ITE Super I/O chips: same name, own version. */
#include <linux/module.h>

static int __init it87_init(void)
{
	pr_info("it87: eol loaded\n");
	return 0;
}

static void __exit it87_exit(void)
{
}

module_init(it87_init);
module_exit(it87_exit);
MODULE_DESCRIPTION("stand-in for the it87 hardware monitor");
MODULE_VERSION("eol");
MODULE_LICENSE("GPL");
