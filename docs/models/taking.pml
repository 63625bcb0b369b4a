/* Taking the lanes of living threads: include/resident/detail/thread_lanes.hpp, and
 * src/pool/lane_visit.hpp and lane_group_reclaim.cpp.
 *
 * THREADS threads with a lane each make CALLS calls: an allocation or a deallocation, inline and
 * then, if need be, out of line. A thread that finds nothing takes what all lanes have. A lane has
 * one list of free blocks for each of two classes, and a third one, of its slabs, for calls out of
 * line alone. Any block does for any class, once it was taken.
 *
 * Every store goes into the thread's store buffer (TSO, as on x86), and from there to memory, in
 * order, at any time; a thread sees its own stores at once. Taking and releasing the mutex waits
 * until the buffer is empty; the barrier empties those of all threads, one after the other.
 *
 * Checked: a block that is popped, taken or read through is in a list at that moment, so that none
 * is handed out twice and nothing is read that is its user's; in the end each block is in a list,
 * in use or in the arena, and the lists have exactly those that should be there.
 */

#define THREADS 2
#define BLOCKS 3
#ifndef CALLS
#define CALLS 2
#endif
#define BUFFER 4 /* stores of a call at most; when it is full, the thread waits */

#ifndef WRONG
#define WRONG 0
#endif

/* Addresses. A block is named by that of its link, the end of a list is 0. */
#define AT(t) (t)
#define INSIDE(t) (2 + (t))
#define LANE(t) (4 + (t))
#define SLABS 0 /* in place of a class */
#define HEAD(t, c) (6 + 3 * (t) + (c))
#define FIRST_BLOCK 12
#define CELLS 15
#define END 0
#define USER_DATA 99

mtype = { listed, in_use, in_arena };

byte memory[CELLS];
bool mutex = false;
mtype state[BLOCKS]; /* beside memory, for the asserts; but the arena is known by it alone */
byte user[BLOCKS];

#define STATE(b) state[(b) - FIRST_BLOCK]

typedef buffer {
    byte count;
    byte address[BUFFER];
    byte value[BUFFER]
};
buffer stores[THREADS];

/* The oldest store reaches memory. */
inline drain_one(t) {
    memory[stores[t].address[0]] = stores[t].value[0];
    stores[t].address[0] = stores[t].address[1];
    stores[t].value[0] = stores[t].value[1];
    stores[t].address[1] = stores[t].address[2];
    stores[t].value[1] = stores[t].value[2];
    stores[t].address[2] = stores[t].address[3];
    stores[t].value[2] = stores[t].value[3];
    stores[t].address[3] = 0;
    stores[t].value[3] = 0;
    stores[t].count--
}

/* The rest are steps of thread `self`. Plain: within an atomic or d_step of its own. */
inline plain_store(where, what) {
    stores[self].address[stores[self].count] = where;
    stores[self].value[stores[self].count] = what;
    stores[self].count++
}
inline store(where, what) {
    atomic { stores[self].count < BUFFER; plain_store(where, what) }
}
inline plain_load(to, where) {
    if
    :: stores[self].count > 3 && stores[self].address[3] == where -> to = stores[self].value[3]
    :: else ->
        if
        :: stores[self].count > 2 && stores[self].address[2] == where -> to = stores[self].value[2]
        :: else ->
            if
            :: stores[self].count > 1 && stores[self].address[1] == where ->
                to = stores[self].value[1]
            :: else ->
                if
                :: stores[self].count > 0 && stores[self].address[0] == where ->
                    to = stores[self].value[0]
                :: else -> to = memory[where]
                fi
            fi
        fi
    fi
}
inline load(to, where) {
    d_step { plain_load(to, where) }
}
inline flush() {
    stores[self].count == 0
}
inline lock() {
    atomic { stores[self].count == 0 && !mutex; mutex = true }
}
inline unlock() {
    atomic { flush(); mutex = false }
}
/* Reads the link of a block of a list. */
inline load_link(to, block) {
    d_step { assert(STATE(block) == listed); plain_load(to, block); assert(to != USER_DATA) }
}

/* A block of the list to `block`, or END. What the thread does with a list that is its own. */
inline pop(where) {
    load(block, where);
    if
    :: block != END ->
        load_link(link, block);
        atomic {
            stores[self].count < BUFFER;
            plain_store(where, link);
            assert(STATE(block) == listed);
            STATE(block) = in_use;
            user[block - FIRST_BLOCK] = self
        };
        /* Its user writes to it. */
        store(block, USER_DATA)
    :: else -> skip
    fi;
    link = 0
}
inline push(where) {
    load(link, where);
    store(block, link);
    atomic {
        stores[self].count < BUFFER;
        plain_store(where, block);
        assert(STATE(block) == in_use && user[block - FIRST_BLOCK] == self);
        STATE(block) = listed
    };
    link = 0
}

/* The first part of each inline call; `lane` says whether it was found. */
inline find_lane() {
#if WRONG == 3
    /* Wrong 3: looks for the lane before it says what it is at: the taker sees it at nothing. */
    load(lane, LANE(self));
    store(AT(self), class)
#else
    store(AT(self), class);
    load(lane, LANE(self))
#endif
}

/* lane_visit: its begin and its end. */
inline enter() {
    store(INSIDE(self), 1);
    load(lane, LANE(self));
#if WRONG != 6
    /* Wrong 6: goes on with its lane out of line although it was withdrawn. */
    if
    :: lane == 0 ->
        lock();
        load(lane, LANE(self));
        assert(lane == 1);
        unlock()
    :: else -> skip
    fi
#endif
}
inline leave() {
    store(AT(self), 0);
    store(INSIDE(self), 0)
}

/* Whether thread `other` is in no call out of line, to `taken`. */
inline ask_whether_taken() {
    if
    :: other == self -> taken = true
    :: else ->
#if WRONG == 5
        /* Wrong 5: takes the lane of a thread that is in a call out of line. */
        taken = true
#else
        load(word, INSIDE(other));
        taken = (word == 0)
#endif
    fi
}
/* Every block of a list of thread `other` goes to the arena. */
inline empty_list(list) {
    load(block, HEAD(other, list));
    if
    :: block != END ->
        store(HEAD(other, list), END);
        do
        :: block != END ->
            load_link(link, block);
            atomic { assert(STATE(block) == listed); STATE(block) = in_arena };
            block = link
        :: else -> break
        od
    :: else -> skip
    fi;
    link = 0
}
/* allocate_when_exhausted(): a block from the arena to `block`, or END. */
inline take_from_all() {
    lock();
    store(LANE(0), 0);
    store(LANE(1), 0);
#if WRONG == 4
    /* Wrong 4: asks before the barrier: the answer may be in a store buffer. */
    load(at_before, AT(1 - self));
#endif
#if WRONG != 1
    /* Wrong 1: no barrier: neither sees the other's store in time. */
    flush();
    atomic {
        do
        :: stores[1 - self].count != 0 -> drain_one(1 - self)
        :: else -> break
        od
    };
#endif
    other = 0;
    do
    :: other < THREADS ->
        ask_whether_taken();
        if
        :: taken ->
            at = 0;
#if WRONG == 4
            at = (other != self -> at_before : 0);
#elif WRONG != 2
            /* Wrong 2: does not ask which list the thread is at. */
            if
            :: other != self -> load(at, AT(other))
            :: else -> skip
            fi;
#endif
            if
            :: at != 1 -> empty_list(1)
            :: else -> skip
            fi;
            if
            :: at != 2 -> empty_list(2)
            :: else -> skip
            fi
        :: else -> skip
        fi;
        other++
    :: else -> break
    od;
    /* Once more for the slabs: a thread may have left its call in between, or have begun one. */
    other = 0;
    do
    :: other < THREADS ->
        ask_whether_taken();
        if
        :: taken -> empty_list(SLABS)
        :: else -> skip
        fi;
        other++
    :: else -> break
    od;
    atomic {
        block = END;
        other = 0;
        taken = false;
        at = 0;
        word = 0;
        if
        :: state[0] == in_arena -> block = FIRST_BLOCK
        :: state[1] == in_arena -> block = FIRST_BLOCK + 1
        :: state[2] == in_arena -> block = FIRST_BLOCK + 2
        :: else -> skip
        fi;
        if
        :: block != END -> STATE(block) = in_use; user[block - FIRST_BLOCK] = self
        :: else -> skip
        fi
    };
    if
    :: block != END -> store(block, USER_DATA)
    :: else -> skip
    fi;
    store(LANE(0), 1);
    store(LANE(1), 1);
    unlock()
}

inline allocate() {
    find_lane();
    block = END;
    if
    :: lane == 1 ->
#if WRONG == 7
        /* Wrong 7: says that it is at none before the list has changed. */
        store(AT(self), 0);
#endif
        pop(HEAD(self, class))
    :: else -> skip
    fi;
    if
    :: block != END -> store(AT(self), 0)
    :: else ->
        enter();
        pop(HEAD(self, class));
        if
        :: block == END -> pop(HEAD(self, SLABS))
        :: else -> skip
        fi;
        leave();
        if
        :: block == END -> take_from_all()
        :: else -> skip
        fi
    fi
}

/* Inline into the list; or out of line, if that is taken for full, into its slab. */
inline deallocate() {
    find_lane();
    if
    :: lane == 1 ->
#if WRONG == 7
        store(AT(self), 0);
#endif
        push(HEAD(self, class));
        store(AT(self), 0)
    :: true ->
        enter();
        push(HEAD(self, SLABS));
        leave()
    fi
}

proctype thread(byte self) {
    byte calls = 0, class = 0, lane = 0, block = 0, link = 0;
    byte other = 0, at = 0, word = 0;
    bool taken = false;
#if WRONG == 4
    byte at_before = 0;
#endif

    do
    :: calls < CALLS ->
        atomic {
            calls++;
            if
            :: class = 1
            :: class = 2
            fi;
            block = END;
            if
            :: state[0] == in_use && user[0] == self -> block = FIRST_BLOCK
            :: state[1] == in_use && user[1] == self -> block = FIRST_BLOCK + 1
            :: state[2] == in_use && user[2] == self -> block = FIRST_BLOCK + 2
            :: true -> skip
            fi
        };
        if
        :: block == END -> allocate()
        :: else -> deallocate()
        fi;
        atomic { block = 0; lane = 0; class = 0 }
    :: else -> break
    od;
    flush()
}

/* Where the processor is free to act at any time. */
proctype processor(byte t) {
end_idle:
    do
    :: d_step { stores[t].count > 0 -> drain_one(t) }
    od
}

init {
    byte t = 0, list = 0, block = 0, counted = 0, free = 0, seen = 0;

    atomic {
        memory[LANE(0)] = 1;
        memory[LANE(1)] = 1;
        /* The first thread has a list of two blocks, and one in a slab or in the other class. */
        memory[FIRST_BLOCK] = FIRST_BLOCK + 1;
        memory[HEAD(0, 1)] = FIRST_BLOCK;
        state[0] = listed;
        state[1] = listed;
        state[2] = listed;
        if
        :: memory[HEAD(0, SLABS)] = FIRST_BLOCK + 2
        :: memory[HEAD(0, 2)] = FIRST_BLOCK + 2
        :: memory[HEAD(1, 1)] = FIRST_BLOCK + 2
        fi;
        run processor(0);
        run processor(1);
        run thread(0);
        run thread(1)
    };
    /* After both threads have ended, what is in the lists is what should be there. */
    d_step {
        _nr_pr == 3;
        assert(!mutex && memory[LANE(0)] == 1 && memory[LANE(1)] == 1);
        assert(memory[AT(0)] == 0 && memory[AT(1)] == 0);
        assert(memory[INSIDE(0)] == 0 && memory[INSIDE(1)] == 0);
        do
        :: t < THREADS ->
            list = 0;
            do
            :: list < 3 ->
                block = memory[HEAD(t, list)];
                do
                :: block != END && counted <= BLOCKS ->
                    assert(STATE(block) == listed);
                    counted++;
                    block = memory[block]
                :: else -> break
                od;
                list++
            :: else -> break
            od;
            t++
        :: else -> break
        od;
        block = 0;
        do
        :: block < BLOCKS ->
            free = free + (state[block] == listed -> 1 : 0);
            block++
        :: else -> break
        od;
        assert(counted == free)
    }
}
