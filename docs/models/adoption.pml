/* Lanes whose threads end: src/pool/lane_group.cpp, lane_visit.hpp and lane_registry.cpp.
 *
 * THREADS threads call the pool, end at any time, and give their lane back; there is one lane
 * beside the guarded one, so that each has it from another, with its blocks and its inbox, or has
 * none. Any thread frees any block, into its list or by way of the owner's inbox. Others trim the
 * pool, and hand a block in meanwhile, once; and one destroys it, before or after the threads end.
 *
 * All calls are out of line, so that the mutex, or a lane of one's own, orders what they do; every
 * load and store is one step, seen by all at once: taking.pml has the store buffers.
 *
 * Checked: a lane has one user at a time; nothing of a thread that has gone is written to, and
 * nothing of a pool that was destroyed; whenever no call is in progress, each block is in one
 * place; no thread finds a lane of the pool after its end; and no thread waits for ever.
 */

#ifndef THREADS
#define THREADS 2
#endif
#define LANES 2 /* lane 0 is the guarded one */
#define BLOCKS 3
#ifndef CALLS
#define CALLS 1 /* of each thread before it ends; one more may come between two rounds of hooks */
#endif
#ifndef ROUNDS
#define ROUNDS 2 /* of hooks as a thread ends: in C libraries there are 4 */
#endif
#ifndef TRIMS
#define TRIMS 1
#endif
#ifndef GIVERS
#define GIVERS 0
#endif

#define NONE 0
#define IN_FLIGHT 100

#ifndef WRONG
#define WRONG 0
#endif

/* The pool. Blocks are numbered from 1 on; those of lane 1 are 1 and 2, that of lane 0 is 3. */
#define OWNER(b) ((b) == 3 -> 0 : 1)
bool mutex = false;
byte holder[LANES];   /* a thread, from 1 on; NONE */
byte list[LANES];     /* a set of blocks */
byte newest[LANES];   /* the inbox: see inbox.pml */
byte taken[LANES];
byte next[BLOCKS + 1];

/* The registry. */
bool registry_mutex = false;
bool registered = true;

/* Of each thread. */
byte lane_of[THREADS + 1];
bool inside[THREADS + 1];
bool announced[THREADS + 1]; /* the hook is called as it ends */

/* The program: what it has of the pool, and when it may use it. */
byte pot = 0;
byte calls_in_progress = 0;
bool open = true;

/* For the asserts alone. */
byte users[LANES];
bool has_gone[THREADS + 1];
bool exists = true; /* the pool */

#define SET(b) (1 << (b))

inline lock(which) {
    atomic { !which; which = true }
}
inline begin_use(which) {
    atomic { users[which]++; assert(users[which] == 1 && exists) }
}
inline end_use(which) {
    users[which]--
}

/* Makes the lane the thread's, or the guarded one, with the mutex. */
inline enter() {
    inside[self] = true;
    lane = lane_of[self];
    if
    :: lane == 0 ->
#if WRONG != 1
        /* Wrong 1: the claim without the mutex: two threads find the same lane without a holder. */
        lock(mutex);
#endif
        lane = lane_of[self];
        if
        :: lane == 0 ->
            announced[self] = true;
            if
            :: holder[1] == NONE ->
                holder[1] = self;
#if WRONG == 7
                /* Wrong 7: begins with an empty inbox, as a new lane does: what came in is lost. */
                newest[1] = NONE;
#endif
                lane_of[self] = 1;
                lane = 1
            :: else -> skip
            fi
        :: else -> skip
        fi;
#if WRONG == 1
        if
        :: lane != 0 -> skip
        :: else -> lock(mutex); guarded = true
        fi
#else
        if
        :: lane != 0 -> mutex = false
        :: else -> guarded = true
        fi
#endif
    :: else -> skip
    fi;
    begin_use(lane)
}
inline leave() {
    end_use(lane);
    if
    :: guarded -> mutex = false; guarded = false
    :: else -> skip
    fi;
    inside[self] = false;
    lane = 0
}

/* A block of the lane's inbox to `block`, or NONE. */
inline take(from) {
    block = NONE;
    if
    :: taken[from] == NONE && newest[from] != NONE ->
        atomic { taken[from] = newest[from]; newest[from] = NONE }
    :: else -> skip
    fi;
    if
    :: taken[from] != NONE ->
        word = next[taken[from]];
        if
        :: word != IN_FLIGHT -> block = taken[from]; taken[from] = word
        :: else -> skip
        fi
    :: else -> skip
    fi;
    word = 0
}
inline hand_in(to) {
    next[block] = IN_FLIGHT;
    atomic { word = newest[to]; newest[to] = block };
    next[block] = word;
    word = 0
}

inline allocate() {
    enter();
    word = list[lane];
    if
    :: word != 0 ->
        if
        :: word & SET(1) -> block = 1
        :: !(word & SET(1)) && (word & SET(2)) -> block = 2
        :: !(word & (SET(1) | SET(2))) -> block = 3
        fi;
        list[lane] = word & ~SET(block);
        word = 0
    :: else -> take(lane)
    fi;
    leave();
    if
    :: block != NONE -> atomic { assert(!(pot & SET(block))); pot = pot | SET(block) }
    :: else -> skip
    fi;
    block = 0
}
/* A block that is the call's. */
inline deallocate() {
    enter();
    if
    :: true ->
        word = list[lane];
        assert(!(word & SET(block)));
        list[lane] = word | SET(block);
        word = 0
    :: OWNER(block) != lane -> hand_in(OWNER(block))
    fi;
    leave();
    block = 0
}
inline call() {
    atomic {
        if
        :: open ->
            calls_in_progress++;
            block = NONE;
            if
            :: pot & SET(1) -> block = 1
            :: !(pot & SET(1)) && (pot & SET(2)) -> block = 2 /* it would be the same again */
            :: pot & SET(3) -> block = 3
            :: true -> skip
            fi;
            pot = pot & ~SET(block)
        :: else -> goto end_of_calls
        fi
    };
    if
    :: block == NONE -> allocate()
    :: else -> deallocate()
    fi;
    calls_in_progress--
}

/* The hook of a thread that ends. */
inline give_lanes_back() {
    lock(registry_mutex);
    if
    :: registered ->
        assert(exists);
#if WRONG != 4
        /* Wrong 4: detaches without the mutex: who trims gives the lane to the thread again. */
        lock(mutex);
#endif
#if WRONG != 2
        /* Wrong 2: the pointer stays: a call that follows finds a lane that is another's by now. */
        lane_of[self] = 0;
#endif
#if WRONG != 3
        /* Wrong 3: the holder stays: its memory, written to by who trims, has gone. */
        if
        :: holder[1] == self -> holder[1] = NONE
        :: else -> skip
        fi;
#endif
        assert(exists);
#if WRONG != 4
        mutex = false
#endif
    :: else -> skip
    fi;
    registry_mutex = false
}

proctype thread(byte self) {
    byte calls = 0, rounds = 0, lane = 0, block = 0, word = 0;
    bool guarded = false;

    do
    :: calls < CALLS -> calls++; call()
    :: true -> break
    od;
end_of_calls:
    /* What is called as a thread ends may call the pool; then the hook is called once more. */
    do
    :: announced[self] && rounds < ROUNDS ->
        rounds++;
        announced[self] = false;
        give_lanes_back();
        if
#if WRONG == 8
        /* Wrong 8: a call after the last round, too: the lane stays that of a thread that has
           gone. */
        :: true -> call()
#else
        :: rounds < ROUNDS -> call()
#endif
        :: true -> skip
        fi
    :: else -> break
    od;
    atomic {
        assert(exists || lane_of[self] == 0);
        has_gone[self] = true
    }
}

/* Frees a block in passing; of its own lane, which it keeps, nothing else matters here. */
proctype giver() {
    byte block = 0, word = 0;

    atomic {
        if
        :: open && (pot & SET(1)) -> block = 1
        :: open && !(pot & SET(1)) && (pot & SET(2)) -> block = 2
        :: true -> goto done
        fi;
        pot = pot & ~SET(block);
        calls_in_progress++
    };
    hand_in(1);
    calls_in_progress--;
done:
    skip
}

proctype trimmer() {
    byte other = 0, block = 0, word = 0;

    atomic {
        if
        :: open -> calls_in_progress++
        :: else -> goto done
        fi
    };
    lock(mutex);
    other = holder[1];
    if
    :: other != NONE -> atomic { assert(!has_gone[other]); lane_of[other] = 0 }
    :: else -> skip
    fi;
    if
    :: other == NONE || !inside[other] ->
        /* The lane is this thread's, with or without a holder. */
        begin_use(1);
        take(1);
        if
        :: block != NONE -> word = list[1]; list[1] = word | SET(block)
        :: else -> skip
        fi;
        end_use(1)
    :: else -> skip
    fi;
    other = holder[1];
    if
    :: other != NONE -> atomic { assert(!has_gone[other]); lane_of[other] = 1 }
    :: else -> skip
    fi;
    mutex = false;
    calls_in_progress--;
done:
    skip
}

/* Each block is in a list, in an inbox or the program's: once. */
inline audit() {
    d_step {
        found = 0;
        each = 0;
        do
        :: each < LANES ->
            assert(users[each] == 0);
            assert(!(found & list[each]));
            found = found | list[each];
            block = taken[each];
            do
            :: block != NONE ->
                assert(block != IN_FLIGHT && !(found & SET(block)));
                found = found | SET(block);
                block = next[block]
            :: else -> break
            od;
            block = newest[each];
            do
            :: block != NONE ->
                assert(block != IN_FLIGHT && !(found & SET(block)));
                found = found | SET(block);
                block = next[block]
            :: else -> break
            od;
            each++
        :: else -> break
        od;
        assert(!(found & pot));
        found = found | pot;
        assert(found == (SET(1) | SET(2) | SET(3)));
        found = 0;
        each = 0
    }
}

proctype destroyer() {
    byte other = 0, found = 0, each = 0, block = 0;

    atomic { calls_in_progress == 0; open = false; audit() };
#if WRONG != 5
    /* Wrong 5: not under the registry's mutex: a thread that ends meanwhile detaches from a pool
       that has gone. */
    lock(registry_mutex);
#endif
#if WRONG != 6
    /* Wrong 6: does not tell the threads: the next pool of the slot finds lanes of this one. */
    other = holder[1];
    if
    :: other != NONE ->
        atomic { assert(!has_gone[other]); lane_of[other] = 0 };
        holder[1] = NONE
    :: else -> skip
    fi;
#endif
    registered = false;
#if WRONG != 5
    registry_mutex = false;
#endif
    exists = false
}

init {
    byte each = 1;

    atomic {
        list[0] = SET(3);
        list[1] = SET(1);
        pot = SET(2);
        do
        :: each <= THREADS -> run thread(each); each++
        :: else -> break
        od;
#if GIVERS
        run giver();
#endif
#if TRIMS
        run trimmer();
#endif
        run destroyer()
    }
}
