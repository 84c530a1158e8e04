/* Turns: one at a time on a table, first come first served, tables apart, waiting ends by cancelling or by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "command/turn.h"

enum { STATEMENTS = 6 };

typedef struct Room {
    atomic_int inside, arrived, order[STATEMENTS], served;
    atomic_bool met;
    Cancel *cancel;
} Room;

typedef struct Guest {
    Room *room;
    int number;
    int64_t wait_ms;
    bool ok, had_turn;
    ErrorClass cls;
} Guest;

static void *statement(void *arg)
{
    Guest *g = arg;
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Turn t = {.wait_ms = g->wait_ms};
    atomic_fetch_add(&g->room->arrived, 1);
    g->ok = turn_take(&t, S("/table"), g->room->cancel, &err);
    g->had_turn = t.queue != NULL;
    if (!g->ok) {
        g->cls = err.cls;
        error_clear(&err);
        return NULL;
    }
    if (g->had_turn) {
        if (atomic_fetch_add(&g->room->inside, 1))
            atomic_store(&g->room->met, true);
        atomic_store(&g->room->order[atomic_fetch_add(&g->room->served, 1)], g->number);
        usleep(1000);
        atomic_fetch_sub(&g->room->inside, 1);
    }
    turn_give(&t);
    return NULL;
}

static void in_order_of_arrival(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    Room room = {0};
    Guest guests[STATEMENTS];
    pthread_t threads[STATEMENTS];
    Turn first = {0}, other = {0};
    assert_true(turn_take(&first, S("/table"), NULL, &err));
    for (int i = 0; i < STATEMENTS; i++) {
        guests[i] = (Guest){.room = &room, .number = i};
        pthread_create(&threads[i], NULL, statement, &guests[i]);
        while (atomic_load(&room.arrived) <= i)
            usleep(100);
        usleep(30000); /* it announces itself before it waits */
    }
    assert_true(turn_take(&other, S("/elsewhere"), NULL, &err));
    assert_non_null(other.queue);
    assert_int_equal(atomic_load(&room.served), 0);
    turn_give(&first);
    for (int i = 0; i < STATEMENTS; i++) {
        pthread_join(threads[i], NULL);
        assert_true(guests[i].ok && guests[i].had_turn);
        assert_int_equal(atomic_load(&room.order[i]), i);
    }
    assert_false(atomic_load(&room.met));
    turn_give(&other);
}

static void waiting_ends(void **state)
{
    AUTO_ARENA arena = arena_new();
    Error err = error_in(arena);
    for (int cancelled = 0; cancelled < 2; cancelled++) {
        Room room = {.cancel = cancel_new()};
        Guest guest = {.room = &room, .wait_ms = cancelled ? 0 : 40};
        pthread_t thread;
        Turn first = {0}, again = {0};
        assert_true(turn_take(&first, S("/table"), NULL, &err));
        pthread_create(&thread, NULL, statement, &guest);
        if (cancelled)
            cancel_raise(room.cancel);
        pthread_join(thread, NULL);
        assert_int_equal(guest.ok, !cancelled);
        assert_false(guest.had_turn);
        if (cancelled)
            assert_int_equal(guest.cls, ERR_OPERATION_CANCELED);
        /* The thread that has the turn never waits for itself. */
        assert_true(turn_take(&again, S("/table"), NULL, &err));
        assert_null(again.queue);
        turn_give(&first);
        assert_true(turn_take(&again, S("/table"), NULL, &err));
        assert_non_null(again.queue);
        turn_give(&again);
        turn_give(&again);
        cancel_unref(room.cancel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_order_of_arrival), cmocka_unit_test(waiting_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
