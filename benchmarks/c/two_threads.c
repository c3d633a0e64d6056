/* Kernels in one thread and in two at once, without Python: what two threads cost by themselves on this machine. */
#include <canal_fast/logs/formats.h>
#include <canal_fast/wire.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct job {
    const char *kernel;
    cf_units units;
    const cf_frame *frames;
    size_t count;
    const uint8_t *bits; /* of the frames, packed */
    const int64_t *offsets;
    const char *log; /* a recording of them: its path */
    int failed;
} job;

enum { CHUNK = 1 << 18 };

/* The file by parts, into memory for more frames than there are, cut to those that were: nobody knows their number. */
static int read_log(const job *j)
{
    const cf_log_format *row = NULL;
    cf_log_reader *reader = (cf_log_reader *)calloc(1, sizeof *reader);
    uint8_t *text = (uint8_t *)malloc(CHUNK);
    cf_frame *frames = (cf_frame *)malloc((j->count + j->count / 8) * sizeof(cf_frame));
    const int file = open(j->log, O_RDONLY);
    cf_log_call call;
    cf_status status = CF_OK;
    size_t n, kept = 0, made = 0;
    for (n = 0; (row = cf_log_format_row(n)) != NULL && strcmp(row->name, "candump") != 0;)
        n++;
    reader->own = calloc(1, row->own_size ? row->own_size : 1);
    do {
        const ssize_t got = read(file, text + kept, CHUNK - kept);
        memset(&call, 0, sizeof call);
        call.data = text;
        call.size = kept + (got > 0 ? (size_t)got : 0);
        call.final = got <= 0;
        call.frames = frames + made;
        call.capacity = j->count + j->count / 8 - made;
        call.stride = sizeof(cf_frame);
        status = row->read(reader, &call);
        made += call.made;
        kept = call.size - call.consumed;
        memmove(text, text + call.consumed, kept);
    } while (status == CF_OK && !call.final);
    frames = (cf_frame *)realloc(frames, made * sizeof(cf_frame));
    close(file);
    free(frames), free(text), free(reader->own), free(reader);
    return status != CF_OK || made != j->count;
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
        j->failed |= read_log(j);
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
                                                       const char *log, size_t rounds, int threads)
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
                       (const int64_t *)offsets,
                       log,
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
