// kernel_file.c - see kernel_file.h
//
// A row of the registry that a shared object brings along. It lies in the object's own memory, which stays where it is
// until the program ends, as the registry does.
// Read next: my_kernel.h, what the object exports.

#include "ops/kernel_file.h"

#include "base/plugin.h"
#include "ops/my_kernel.h"

#include <string.h>

static const char SYMBOL[] = "sculpt_kernel";

static bool fits(const KernelPlugin *plugin, const char *path, Error *error) {
    Op op;
    if (plugin->abi != KERNEL_ABI) {
        return error_set(error,
                         "%.300s: was compiled for kernels of version %d, and these are version %d; compile it "
                         "anew",
                         path, plugin->abi, KERNEL_ABI);
    }
    if (!plugin->op || !op_find(plugin->op, strlen(plugin->op), &op)) {
        return error_set(error, "%.300s: says it computes \"%.100s\", which is no op; `sculpt kernels` lists them",
                         path, plugin->op ? plugin->op : "");
    }
    if (!plugin->function) {
        return error_set(error, "%.300s: exports no function; set .%s in sculpt_kernel", path, plugin->op);
    }
    if (plugin->weight_type > BF16 || (plugin->precision != F32 && plugin->precision != BF16)) {
        return error_set(error,
                         "%.300s: its weight_type must be F32, F16 or BF16, its precision F32 or BF16; mend "
                         "sculpt_kernel",
                         path);
    }
    return true;
}

static bool is_for(const KernelPlugin *plugin, Op op, const char *path, Error *error) {
    if (strcmp(plugin->op, op_name(op)) == 0) return true;
    return error_set(error, "%.300s: computes %s, not %s; write --kernel %s=%.300s", path, plugin->op, op_name(op),
                     plugin->op, path);
}

bool kernel_load(const char *choice, Error *error) {
    const char *equals = strchr(choice, '=');
    Op op;
    if (!equals || !plugin_is_file(equals + 1) || !op_find(choice, (size_t)(equals - choice), &op)) return true;
    KernelPlugin *plugin = plugin_load(equals + 1, SYMBOL, error);
    if (!plugin || !fits(plugin, equals + 1, error)) return false;
    plugin->row = (Kernel){.op = op,
                           .variant = plugin_path(plugin),
                           .about = "from outside",
                           .function = plugin->function,
                           .weight_type = plugin->weight_type,
                           .precision = plugin->precision,
                           .scratch_size = plugin->scratch_size};
    return is_for(plugin, op, equals + 1, error);
}

const Kernel *kernel_loaded(Op op, const char *path, Error *error) {
    const KernelPlugin *plugin = plugin_find(path, SYMBOL);
    if (!plugin || !plugin->row.function) {
        error_set(error, "kernel %s=%.300s: hasn't been loaded; only --kernel loads files", op_name(op), path);
        return NULL;
    }
    return is_for(plugin, op, path, error) ? &plugin->row : NULL;
}
