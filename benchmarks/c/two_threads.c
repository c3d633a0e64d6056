/* Kernels in one thread and in two at once, without Python: what two threads cost by themselves on this machine. */
#include <canal_fast/logs/formats.h>
#include <canal_fast/wire.h>

#include <pthread.h>
#include <stdlib.h>

typedef struct job {
    const char *kernel;
    cf_units units;
    const cf_frame *frames;
    size_t count;
    const uint8_t *bits, *text; /* the frames' bits, packed; or a recording of them */
    const int64_t *offsets;
    size_t size; /* of the text */
    int failed;
} job;

static int read_text(const job *j)
{
    const cf_log_format *row = NULL;
    cf_log_reader *reader = (cf_log_reader *)calloc(1, sizeof *reader);
    cf_log_call call;
    size_t n;
    int failed;
    for (n = 0; (row = cf_log_format_row(n)) != NULL && strcmp(row->name, "candump") != 0;)
        n++;
    memset(&call, 0, sizeof call);
    call.data = j->text;
    call.size = j->size;
    call.final = 1;
    call.frames = malloc(j->count * sizeof(cf_frame));
    call.capacity = j->count;
    call.stride = sizeof(cf_frame);
    reader->own = calloc(1, row->own_size ? row->own_size : 1);
    failed = row->read(reader, &call) != CF_OK || call.made != j->count;
    free(call.frames), free(reader->own), free(reader);
    return failed;
}

/* Once over the frames, into memory of its own as Python's call has it. */
static void *work(void *argument)
{
    job *j = (job *)argument;
    const size_t room = j->count * 20 + 64;
    size_t index;
    cf_status status = CF_OK;
    void *out = malloc(j->count * 41 + room);
    uint8_t *bytes = (uint8_t *)out + j->count * 41;
    if (strcmp(j->kernel, "length") == 0) {
        status = cf_frames_exact(j->frames, j->count, sizeof(cf_frame), j->units, 3, (int32_t *)out, &index);
    } else if (strcmp(j->kernel, "crc") == 0) {
        status = cf_frames_crc_on(j->units, j->frames, j->count, sizeof(cf_frame), 15, (uint32_t *)out, &index);
    } else if (strcmp(j->kernel, "encode") == 0) {
        status = cf_frames_encode(j->frames, j->count, sizeof(cf_frame), 1, 1, bytes, room, (int64_t *)out, &index);
    } else if (strcmp(j->kernel, "decode") == 0) {
        const cf_packed bits = {j->bits, j->offsets[j->count]};
        int64_t *places = (int64_t *)out + 3 * j->count;
        const cf_wire_columns columns = {(uint8_t *)(places + 2 * j->count), places, places + j->count};
        status = cf_frames_decode(j->units, bits, j->offsets, j->count, out, sizeof(cf_frame), columns, &index);
    } else {
        j->failed |= read_text(j);
    }
    j->failed |= status != CF_OK;
    free(out);
    return NULL;
}

/* `rounds` times; nonzero where a kernel refused its input. */
static void *repeat(void *argument)
{
    job *j = ((job **)argument)[0];
    size_t i;
    for (i = *((size_t **)argument)[1]; i; i--)
        work(j);
    return NULL;
}

__attribute__((visibility("default"))) int run_threads(const char *kernel, unsigned units, const void *frames,
                                                       size_t count, const void *bits, const void *offsets,
                                                       const void *text, size_t size, size_t rounds, int threads)
{
    job jobs[2];
    void *arguments[2][2];
    pthread_t other;
    int k;
    for (k = 0; k < 2; k++) {
        const job j = {kernel,
                       units & cf_cpu_units(),
                       (const cf_frame *)frames,
                       count,
                       (const uint8_t *)bits,
                       (const uint8_t *)text,
                       (const int64_t *)offsets,
                       size,
                       0};
        jobs[k] = j;
        arguments[k][0] = &jobs[k];
        arguments[k][1] = &rounds;
    }
    if (threads == 2 && pthread_create(&other, NULL, repeat, arguments[1]) != 0)
        return 1;
    repeat(arguments[0]);
    if (threads == 2)
        pthread_join(other, NULL);
    return jobs[0].failed | jobs[1].failed;
}
