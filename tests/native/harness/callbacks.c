/* The two audio callbacks and nothing else, so that the symbols this file needs are all that they can call. */
#include "stream.h"

int (*const callbacks[])(const void *, void *, unsigned long, const void *, unsigned long, void *) = {
    capture_callback,
    playback_callback,
};
