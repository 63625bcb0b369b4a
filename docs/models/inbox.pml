/* The hand-over of freed blocks: src/pool/inbox.hpp and inbox.cpp.
 *
 * GIVERS threads hand blocks in; one taker has them again and gives them out to any thread, so that
 * a block passes through the inbox more than once. Every load, store and exchange is one step.
 *
 * Checked: a block comes out as often as it went in and never twice; nobody writes to a block that
 * is another's; what is read of a block is a link, not what a user left there; nothing stays
 * behind: a lost block leaves the taker waiting for ever, which is an invalid end state.
 */

#define GIVERS 3
#define BLOCKS 3
#define ROUNDS 6 /* blocks handed in, by all */

/* What `next` of a block may hold beside the number of a block, from 1 on. */
#define NONE 0
#define IN_FLIGHT 100
#define USER_DATA 101

#ifndef WRONG
#define WRONG 0
#endif

mtype = { in_use, in_inbox, taken_out };

mtype state[BLOCKS + 1] = taken_out; /* for the asserts alone, as is all in ghost steps */
byte user[BLOCKS + 1];               /* which thread has the block, while it is in use */
byte next[BLOCKS + 1];
byte newest = NONE;
byte taken = NONE;
byte given = 0, came_back = 0;

/* Between two calls the block is its user's, who writes to it. */
inline give_out(block) {
    atomic {
        assert(state[block] == taken_out);
        if
        :: given < ROUNDS ->
            given++;
            if
            :: user[block] = 1
            :: user[block] = 2
            :: user[block] = 3
            fi;
            state[block] = in_use;
            next[block] = USER_DATA
        :: else -> skip
        fi
    }
}

active [GIVERS] proctype giver() {
    byte block, before;
    byte self = _pid + 1;

end_idle:
    do
    :: atomic {
        if
        :: state[1] == in_use && user[1] == self -> block = 1
        :: state[2] == in_use && user[2] == self -> block = 2
        :: state[3] == in_use && user[3] == self -> block = 3
        fi;
        user[block] = 0 /* this call has it now */
       }
#if WRONG == 1
       /* Wrong 1: linked before the exchange: two threads link to the same block, and the second
          exchange drops the block of the first. */
       before = newest;
       next[block] = before;
       atomic { newest = block; state[block] = in_inbox }
#elif WRONG == 2
       /* Wrong 2: a load and a store instead of one exchange: two threads meet in between. */
       next[block] = IN_FLIGHT;
       before = newest;
       atomic { newest = block; state[block] = in_inbox };
       atomic { assert(state[block] == in_inbox); next[block] = before }
#else
#if WRONG != 5
       /* Wrong 5: not marked as in flight: the taker follows what the user left in the block. */
       next[block] = IN_FLIGHT;
#endif
       atomic { before = newest; newest = block; state[block] = in_inbox };
       /* It must not have been handed out yet: it would be another's block that is written to. */
       atomic { assert(state[block] == in_inbox); next[block] = before }
#endif
       before = 0;
       block = 0
    od
}

active proctype taker() {
    byte link, block;

    give_out(1);
    give_out(2);
    give_out(3);
    do
    :: came_back == ROUNDS -> break
    :: came_back < ROUNDS ->
        /* Waits for what take() would find: a call that finds nothing changes nothing. */
        (taken != NONE || newest != NONE);
        if
        :: taken == NONE ->
#if WRONG == 4
            /* Wrong 4: emptied with a load and a store: what is handed in between is lost. */
            taken = newest;
            newest = NONE
#else
            atomic { taken = newest; newest = NONE }
#endif
        :: else -> skip
        fi;
#if WRONG == 3
        /* Wrong 3: a link in flight is taken for the end: the blocks behind it are lost. */
        link = next[taken];
        if
        :: link == IN_FLIGHT -> link = NONE
        :: else -> skip
        fi;
#else
        atomic { next[taken] != IN_FLIGHT; link = next[taken] };
#endif
        assert(link <= BLOCKS);
        atomic {
            block = taken;
            taken = link;
            assert(state[block] == in_inbox);
            state[block] = taken_out;
            came_back++
        }
        give_out(block);
        block = 0;
        link = 0
    od;
    assert(given == ROUNDS && newest == NONE && taken == NONE);
    assert(state[1] == taken_out && state[2] == taken_out && state[3] == taken_out)
}
