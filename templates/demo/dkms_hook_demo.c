// SPDX-License-Identifier: GPL-2.0
#include <linux/init.h>
#include <linux/module.h>

static int __init demo_init(void)
{
	pr_info("dkms_hook_demo: loaded\n");
	return 0;
}

static void __exit demo_exit(void)
{
	pr_info("dkms_hook_demo: gone\n");
}

module_init(demo_init);
module_exit(demo_exit);

MODULE_DESCRIPTION("Sample module of dkms-hook");
MODULE_LICENSE("GPL");
MODULE_VERSION("1.0");
