/* The bare loop beside `to_arrow`: 24-byte records to Arrow's columns in new memory, and no more. */
#include <canal_fast/frame.h>
#include <stdlib.h>

__attribute__((visibility("default"))) size_t arrow_loop(const cf_frame *frames, size_t count)
{
    int64_t *times = malloc(count * 8);
    uint32_t *ids = malloc(count * 4);
    uint16_t *flags = malloc(count * 2);
    uint8_t *channels = malloc(count), *dlcs = malloc(count), *data = malloc(count * 8);
    int32_t *offsets = malloc((count + 1) * 4);
    size_t end = 0, i;
    offsets[0] = 0;
    for (i = 0; i < count; i++) {
        times[i] = frames[i].timestamp_ns;
        ids[i] = frames[i].arbitration_id;
        flags[i] = frames[i].flags;
        channels[i] = frames[i].channel;
        dlcs[i] = frames[i].dlc;
        memcpy(data + end, frames[i].data, 8);
        end += cf_payload_length(frames[i].flags, frames[i].dlc);
        offsets[i + 1] = (int32_t)end;
    }
    end += (size_t)times[count - 1] + ids[0] + flags[0] + channels[0] + dlcs[0] + data[0];
    free(times), free(ids), free(flags), free(channels), free(dlcs), free(data), free(offsets);
    return end;
}
