// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

int chain_add(int a, int b);

static int __init chain_more_init(void)
{
	pr_info("chain_more: 40 + 2 = %d\n", chain_add(40, 2));
	return 0;
}

static void __exit chain_more_exit(void)
{
}

module_init(chain_more_init);
module_exit(chain_more_exit);
MODULE_DESCRIPTION("also uses a symbol of chain_base");
MODULE_VERSION("1.0");
MODULE_LICENSE("GPL");
