/* The functions of MPI that training needs, with types that every C compiler agrees on. */

#include <limits.h>
#include <mpi.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* MPI counts in `int`: longer messages are sent in pieces. */
static const uint64_t PIECE = 1u << 30;

/* Initializes MPI for calls from this thread, with errors as return codes. */
int lexiform_mpi_start(int *rank, int *count) {
    int provided, started, code;
    if ((code = MPI_Initialized(&started))) return code;
    if (!started && (code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided))) return code;
    if ((code = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN))) return code;
    if ((code = MPI_Comm_rank(MPI_COMM_WORLD, rank))) return code;
    return MPI_Comm_size(MPI_COMM_WORLD, count);
}

/* Sends the i-th number to process i. */
int lexiform_mpi_lengths(const uint64_t *sent, uint64_t *received) {
    return MPI_Alltoall(sent, 1, MPI_UINT64_T, received, 1, MPI_UINT64_T, MPI_COMM_WORLD);
}

static uint64_t pieces(uint64_t length) { return length / PIECE + (length % PIECE != 0); }

/* Sends the i-th message to process i, and receives one from each. */
int lexiform_mpi_exchange(int count, const void *const *sent, const uint64_t *sent_lengths, void *const *received,
                          const uint64_t *received_lengths) {
    uint64_t all = 0;
    int rank, code = MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (code) return code;
    for (int i = 0; i < count; i++) all += pieces(sent_lengths[i]) + pieces(received_lengths[i]);
    if (all > INT_MAX) return MPI_ERR_COUNT;
    MPI_Request *requests = malloc((all ? all : 1) * sizeof *requests);
    if (!requests) return MPI_ERR_NO_MEM;
    int started = 0;
    /* Receives first, so that messages find their place; then sends, each process to its right neighbor first. */
    for (int step = 0; step < 2 * count && !code; step++) {
        int is_send = step >= count, peer = (rank + step) % count;
        if (peer == rank) {
            if (is_send) memcpy(received[rank], sent[rank], sent_lengths[rank]);
            continue;
        }
        uint64_t length = is_send ? sent_lengths[peer] : received_lengths[peer];
        for (uint64_t at = 0; at < length && !code; at += PIECE) {
            int piece = (int)(length - at < PIECE ? length - at : PIECE);
            code = is_send ? MPI_Isend((const char *)sent[peer] + at, piece, MPI_BYTE, peer, 0, MPI_COMM_WORLD,
                                       &requests[started])
                           : MPI_Irecv((char *)received[peer] + at, piece, MPI_BYTE, peer, 0, MPI_COMM_WORLD,
                                       &requests[started]);
            if (!code) started++;
        }
    }
    int waited = MPI_Waitall(started, requests, MPI_STATUSES_IGNORE);
    free(requests);
    return code ? code : waited;
}

int lexiform_mpi_stop(void) { return MPI_Finalize(); }

/* The text of an error code. */
void lexiform_mpi_message(int code, char *message, int capacity) {
    char text[MPI_MAX_ERROR_STRING + 1] = {0};
    int length = 0;
    MPI_Error_string(code, text, &length);
    strncpy(message, text, (size_t)capacity - 1);
    message[capacity - 1] = 0;
}
