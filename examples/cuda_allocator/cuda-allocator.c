/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cuda-allocator.c: the four hooks over the CUDA driver API.
 *
 * The driver's library is loaded when an allocator is made, never linked: a program that can do without a GPU runs on
 * machines that have none. A driver context belongs to a thread, but hooks run on whatever thread asked (a buffer is
 * destroyed by whoever drops it last): so every hook pushes the context, and pops it again.
 */
#include "cuda-allocator.h"

#include <cuda.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include <bufalloc/factory.h>
#include <bufalloc/log.h>

/* cuda.h renames some functions to their newest version (cuMemFree is cuMemFree_v2): the library must be asked for the
 * name that the header's prototype belongs to. */
#define TEXT_OF(name) #name
#define SYMBOL(name) TEXT_OF (name)

typedef struct
{
  void *library;
  CUdevice device;
  CUcontext context; /* the GPU's primary one, retained */
  __typeof__ (&cuInit) init;
  __typeof__ (&cuGetErrorString) error_string;
  __typeof__ (&cuDeviceGet) device_get;
  __typeof__ (&cuDevicePrimaryCtxRetain) context_retain;
  __typeof__ (&cuDevicePrimaryCtxRelease) context_release;
  __typeof__ (&cuCtxPushCurrent) context_push;
  __typeof__ (&cuCtxPopCurrent) context_pop;
  __typeof__ (&cuMemAllocManaged) alloc_managed;
  __typeof__ (&cuMemFree) free;
} CudaState;

static int
load_driver (CudaState *state, BaError *error)
{
  state->library = dlopen ("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!state->library)
    return ba_error_set (error, -ENODEV, "no CUDA driver on this machine: %s", dlerror ());
  const struct
  {
    const char *name;
    void **to;
  } wanted[] = {
    { SYMBOL (cuInit), (void **) &state->init },
    { SYMBOL (cuGetErrorString), (void **) &state->error_string },
    { SYMBOL (cuDeviceGet), (void **) &state->device_get },
    { SYMBOL (cuDevicePrimaryCtxRetain), (void **) &state->context_retain },
    { SYMBOL (cuDevicePrimaryCtxRelease), (void **) &state->context_release },
    { SYMBOL (cuCtxPushCurrent), (void **) &state->context_push },
    { SYMBOL (cuCtxPopCurrent), (void **) &state->context_pop },
    { SYMBOL (cuMemAllocManaged), (void **) &state->alloc_managed },
    { SYMBOL (cuMemFree), (void **) &state->free },
  };
  for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
    *wanted[i].to = dlsym (state->library, wanted[i].name);
    if (!*wanted[i].to)
      return ba_error_set (error, -ENODEV, "the CUDA driver is too old: it has no %s()", wanted[i].name);
  }
  return 0;
}

static int
cuda_failed (const CudaState *state, CUresult result, const char *what, BaError *error)
{
  const char *text = NULL;
  state->error_string (result, &text);
  return ba_error_set (error, -ENODEV, "%s: %s (CUDA error %d)", what, text ? text : "unknown", (int) result);
}

static void
cuda_allocator_close (void *data)
{
  CudaState *state = data;
  if (state->context)
    state->context_release (state->device);
  if (state->library)
    dlclose (state->library);
  free (state);
}

static int
cuda_allocator_open (const BaConfig *config, void **out, BaError *error)
{
  const CudaConfig *own = config->foreign;
  int number = own ? own->device : 0;
  CudaState *state = calloc (1, sizeof *state);
  if (!state)
    return ba_error_set (error, -ENOMEM, "no memory for an allocator");
  int r = load_driver (state, error);
  CUresult result;
  if (r == 0 && (result = state->init (0)) != CUDA_SUCCESS)
    r = cuda_failed (state, result, "the CUDA driver does not start", error);
  if (r == 0 && (result = state->device_get (&state->device, number)) != CUDA_SUCCESS)
    r = cuda_failed (state, result, "no such GPU", error);
  if (r == 0 && (result = state->context_retain (&state->context, state->device)) != CUDA_SUCCESS) {
    state->context = NULL;
    r = cuda_failed (state, result, "the GPU cannot be used", error);
  }
  if (r < 0) {
    cuda_allocator_close (state);
    return r;
  }
  *out = state;
  return 0;
}

static int
cuda_allocator_create (void *data, const BaRequest *request, BaMemory *out)
{
  CudaState *state = data;
  CUdeviceptr address = 0;
  CUcontext popped;
  if (state->context_push (state->context) != CUDA_SUCCESS)
    return -ENODEV;
  CUresult result = state->alloc_managed (&address, request->spec->size_bytes, CU_MEM_ATTACH_GLOBAL);
  state->context_pop (&popped);
  if (result == CUDA_ERROR_NOT_SUPPORTED)
    return -ENOTSUP; /* a GPU without managed memory */
  if (result != CUDA_SUCCESS)
    return result == CUDA_ERROR_OUT_OF_MEMORY ? -ENOMEM : -ENODEV;
  out->n_blocks = 1;
  out->blocks[0].data = (void *) (uintptr_t) address;
  out->blocks[0].size_bytes = request->spec->size_bytes;
  out->layout = request->spec->layout;
  return 0;
}

static void
cuda_allocator_destroy (void *data, BaMemory *memory)
{
  CudaState *state = data;
  CUcontext popped;
  bool pushed = state->context_push (state->context) == CUDA_SUCCESS;
  CUresult result = state->free ((CUdeviceptr) (uintptr_t) memory->blocks[0].data);
  if (pushed)
    state->context_pop (&popped);
  if (result != CUDA_SUCCESS)
    ba_log (BA_LOG_WARNING, "cuda: %p cannot be freed, error %d", memory->blocks[0].data, (int) result);
}

const BaAllocatorOps cuda_allocator_ops = {
  .name = CUDA_KIND,
  .open = cuda_allocator_open,
  .create = cuda_allocator_create,
  .destroy = cuda_allocator_destroy,
  .close = cuda_allocator_close,
};
