// SPDX-License-Identifier: MIT OR Apache-2.0

//! Classes, buses, drivers, interrupts and block devices.

use crate::api_changes::{
    change::{
        Change, NONE, Rewrite,
        Sign::{Arguments, Member, Name, Types},
        Version,
        When::{Always, Before, Since},
        v,
    },
    rewrite::return_nothing,
};

pub(super) const CHANGES: &[Change] = &[
    Change {
        when: Since(v(6, 4)),
        signs: &[Arguments("class_create")],
        what: "`class_create` takes the name only, no `THIS_MODULE`",
        rewrites: &[Rewrite::Call("class_create", 2, "class_create($2)")],
        ..NONE
    },
    Change {
        when: Before(v(6, 4)),
        signs: &[Arguments("class_create")],
        what: "`class_create` takes the module first",
        rewrites: &[Rewrite::Call(
            "class_create",
            1,
            "class_create(THIS_MODULE, $1)",
        )],
        ..NONE
    },
    Change {
        when: Since(v(6, 4)),
        signs: &[Member("struct class", "owner")],
        what: "a `struct class` has no `owner`",
        rewrites: &[Rewrite::DropMember("owner")],
        ..NONE
    },
    Change {
        when: Always,
        signs: &[
            Member("struct class", "class_attrs"),
            Member("struct class", "dev_attrs"),
        ],
        what: "a class has `class_groups` and `dev_groups`, which `ATTRIBUTE_GROUPS` makes, \
               instead of `class_attrs` and `dev_attrs`",
        example: "ATTRIBUTE_GROUPS(my);\t/* of the array my_attrs */
\t.class_groups = my_groups,",
        ..NONE
    },
    Change {
        when: Since(v(6, 4)),
        signs: &[Types(
            "(const struct class *, const struct class_attribute *",
            "(struct class *, struct class_attribute *",
        )],
        what: "the functions of a class attribute take a `const struct class *` and a `const \
               struct class_attribute *`",
        example: "static ssize_t my_show(const struct class *class,
\t\t       const struct class_attribute *attr, char *buf);",
        ..NONE
    },
    Change {
        when: Since(v(6, 2)),
        signs: &[
            Types(
                "(const struct device *, umode_t *)",
                "(struct device *, umode_t *)",
            ),
            Types(
                "(const struct device *, struct kobj_uevent_env *)",
                "(struct device *, struct kobj_uevent_env *)",
            ),
        ],
        what: "`devnode` and `dev_uevent` take a `const struct device *`",
        example: "static char *my_devnode(const struct device *dev, umode_t *mode);",
        ..NONE
    },
    Change {
        when: Before(v(6, 2)),
        signs: &[Types(
            "(struct device *, umode_t *)",
            "(const struct device *, umode_t *)",
        )],
        what: "`devnode` takes a `struct device *`, which is not `const`",
        example: "static char *my_devnode(struct device *dev, umode_t *mode);",
        ..NONE
    },
    Change {
        when: Since(v(6, 11)),
        signs: &[Types(
            "(struct device *, const struct device_driver *)",
            "(struct device *, struct device_driver *)",
        )],
        what: "`match` of a bus takes a `const struct device_driver *`",
        example: "static int my_match(struct device *dev, const struct device_driver *driver);",
        ..NONE
    },
    Change {
        when: Since(v(6, 11)),
        signs: &[Types(
            "void (struct platform_device *)",
            "int (struct platform_device *)",
        )],
        what: "`remove` of a platform driver returns nothing",
        rewrites: &[Rewrite::Custom(return_nothing)],
        example: "static void my_remove(struct platform_device *pdev);",
        ..NONE
    },
    Change {
        when: Before(v(6, 11)),
        signs: &[Types(
            "int (struct platform_device *)",
            "void (struct platform_device *)",
        )],
        what: "`remove` of a platform driver returns an `int`, which is ignored; `remove_new` \
               (6.3 to 6.12) returns nothing",
        example: "static int my_remove(struct platform_device *pdev);",
        ..NONE
    },
    Change {
        when: Since(v(6, 13)),
        signs: &[Member("struct platform_driver", "remove_new")],
        what: "`remove_new` is gone: `remove` returns nothing",
        rewrites: &[Rewrite::Member("remove_new", "remove")],
        ..NONE
    },
    Change {
        when: Before(v(6, 3)),
        signs: &[Member("struct platform_driver", "remove_new")],
        what: "a platform driver has no `remove_new`: `remove` returns an `int`",
        example: "static int my_remove(struct platform_device *pdev);",
        ..NONE
    },
    Change {
        when: Since(v(6, 1)),
        signs: &[Types(
            "void (struct i2c_client *)",
            "int (struct i2c_client *)",
        )],
        what: "`remove` of an I2C driver returns nothing",
        rewrites: &[Rewrite::Custom(return_nothing)],
        example: "static void my_remove(struct i2c_client *client);",
        ..NONE
    },
    Change {
        when: Since(v(6, 3)),
        signs: &[Types(
            "int (struct i2c_client *)",
            "int (struct i2c_client *, const struct i2c_device_id *)",
        )],
        what: "`probe` of an I2C driver takes the client only; `i2c_client_get_device_id` returns \
               the id",
        example: "static int my_probe(struct i2c_client *client);",
        ..NONE
    },
    Change {
        when: Since(v(5, 18)),
        signs: &[Types(
            "void (struct spi_device *)",
            "int (struct spi_device *)",
        )],
        what: "`remove` of an SPI driver returns nothing",
        rewrites: &[Rewrite::Custom(return_nothing)],
        example: "static void my_remove(struct spi_device *spi);",
        ..NONE
    },
    Change {
        when: Since(Version(2, 6, 19)),
        signs: &[Types("(int, void *)", "(int, void *, struct pt_regs *)")],
        what: "the handler of an interrupt takes no `struct pt_regs *`",
        example: "static irqreturn_t my_handler(int irq, void *data);",
        ..NONE
    },
    Change {
        when: Since(v(4, 1)),
        signs: &[Name("IRQF_DISABLED")],
        what: "`IRQF_DISABLED` is gone: handlers always run with interrupts disabled",
        rewrites: &[Rewrite::Words(&[("IRQF_DISABLED", "0")])],
        ..NONE
    },
    Change {
        when: Always,
        signs: &[Name("SA_SHIRQ")],
        what: "`SA_SHIRQ` is called `IRQF_SHARED`",
        rewrites: &[Rewrite::Words(&[("SA_SHIRQ", "IRQF_SHARED")])],
        ..NONE
    },
    Change {
        when: Since(v(5, 18)),
        signs: &[Name("pci_alloc_consistent"), Name("pci_free_consistent")],
        what: "the DMA functions of PCI are gone: those of `linux/dma-mapping.h` take the `struct \
               device`",
        rewrites: &[
            Rewrite::Call(
                "pci_alloc_consistent",
                3,
                "dma_alloc_coherent(&$1->dev, $2, $3, GFP_ATOMIC)",
            ),
            Rewrite::Call(
                "pci_free_consistent",
                4,
                "dma_free_coherent(&$1->dev, $2, $3, $4)",
            ),
        ],
        include: "linux/dma-mapping.h",
        ..NONE
    },
    Change {
        when: Since(v(5, 18)),
        signs: &[
            Name("pci_set_dma_mask"),
            Name("pci_set_consistent_dma_mask"),
        ],
        what: "the DMA functions of PCI are gone: those of `linux/dma-mapping.h` take the `struct \
               device`",
        rewrites: &[
            Rewrite::Call("pci_set_dma_mask", 2, "dma_set_mask(&$1->dev, $2)"),
            Rewrite::Call(
                "pci_set_consistent_dma_mask",
                2,
                "dma_set_coherent_mask(&$1->dev, $2)",
            ),
        ],
        include: "linux/dma-mapping.h",
        ..NONE
    },
    Change {
        when: Since(v(6, 9)),
        signs: &[Name("alloc_disk"), Arguments("blk_alloc_disk")],
        what: "`blk_alloc_disk` makes a disk with its queue, takes the queue's limits, or NULL, \
               and returns an error pointer",
        rewrites: &[Rewrite::Call(
            "blk_alloc_disk",
            1,
            "blk_alloc_disk(NULL, $1)",
        )],
        example: "disk = blk_alloc_disk(NULL, NUMA_NO_NODE);\t/* then disk->minors = .. */",
        ..NONE
    },
    Change {
        when: Since(v(5, 15)),
        signs: &[Name("alloc_disk")],
        what: "`alloc_disk` is gone: `blk_alloc_disk` makes a disk with its queue",
        example: "disk = blk_alloc_disk(NUMA_NO_NODE);\t/* then disk->minors = .. */",
        ..NONE
    },
    Change {
        when: Since(v(5, 0)),
        signs: &[Name("blk_init_queue"), Name("blk_fetch_request")],
        what: "`blk_init_queue` is gone: requests come by `queue_rq` of a `struct blk_mq_ops`",
        example: "static const struct blk_mq_ops my_ops = { .queue_rq = my_queue_rq };",
        ..NONE
    },
    Change {
        when: Since(v(6, 0)),
        signs: &[Name("blk_cleanup_queue")],
        what: "`blk_cleanup_queue` is gone: `put_disk` frees the queue of a disk, and \
               `blk_mq_destroy_queue` ends one without a disk",
        example: "put_disk(disk);",
        ..NONE
    },
    Change {
        when: Since(v(6, 9)),
        signs: &[Name("blk_mq_init_queue")],
        what: "`blk_mq_init_queue` is gone: `blk_mq_alloc_queue` takes the limits and the data as \
               well",
        rewrites: &[Rewrite::Call(
            "blk_mq_init_queue",
            1,
            "blk_mq_alloc_queue($1, NULL, NULL)",
        )],
        ..NONE
    },
];
