// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

int chain_add(int a, int b);

int chain_add(int a, int b)
{
	return a + b;
}
EXPORT_SYMBOL_GPL(chain_add);

static int __init chain_base_init(void)
{
	return 0;
}

static void __exit chain_base_exit(void)
{
}

module_init(chain_base_init);
module_exit(chain_base_exit);
MODULE_DESCRIPTION("exports a symbol for chain_top");
MODULE_VERSION("1.0");
MODULE_LICENSE("GPL");
