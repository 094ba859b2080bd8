/* wireguard/noise against messages made by an independent implementation of the whitepaper, written
 * for this in Python from hashlib, hmac and integers. All its keys are runs of bytes: the static
 * and ephemeral keys of the initiator begin with 1 and 65, those of the responder with 33 and 97,
 * the preshared key with 129; the time is 1700000000.301989888. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/memory.h"
#include "hex.h"
#include "wireguard/bytes.h"
#include "wireguard/noise.h"

static const char initiation_digits[] =
	"010000004433221164b101b1d0be5a8704bd078f9895001fc03e8e9f9522f188dd128d9846d48466"
	"158a0e4ca242d151ca97ab90159a98b67e616625e68b4065d357376b6598e644ad7d678c0295d22d"
	"e4cb43d5135581ed36346bfa7cf42a123339f893edb0cc84a61e25fb724da1fc77a0af1282259a56"
	"94b8c8011b87043cee64b05f00000000000000000000000000000000";
static const char response_digits[] =
	"020000008877665544332211244fe3b963e899dd295baffce248d3530f3a9a7479ba063002680ebf"
	"e7adad494a0bbf1bb9ff159a6b07f176eeade35ea64788016a68686a8c04eed828f232fd00000000"
	"000000000000000000000000";
static const char hash_digits[] =
	"d15cae07abfde074733a6fbc3088aab09f3605b4ab797a4e674983f55612f3ec";
static const char chaining_digits[] =
	"643693a7636a42b588f115bc0aae9a1db8432634b2e8d96ed67d308e74e132f5";
static const char first_key_digits[] =
	"248a29611829aaf7ee8bc8e87df805c1019f08f82d80eb79b7625821ba0a1317";
static const char second_key_digits[] =
	"848308e622b3e15e5ebc5312111efc31082e86c85e9ee93fe8c5aa7f972cc9c3";

struct party {
	struct noise_identity identity;
	struct noise_handshake handshake;
};

static struct key run_from(uint8_t first)
{
	struct key key;

	for (size_t i = 0; i < KEY_SIZE; i++)
		key.bytes[i] = (uint8_t)(first + i);
	return key;
}

static void party_clear(struct party *party)
{
	noise_handshake_forget(&party->handshake);
	noise_identity_clear(&party->identity);
}

static void party_init(struct party *party, uint8_t own, uint8_t other)
{
	struct key own_key = run_from(own), other_key = run_from(other);
	struct error error;

	*party = (struct party){};
	assert_true(noise_identity_set(&party->identity, &own_key));
	assert_int_equal(key_derive_public(&other_key, &party->handshake.remote_static, &error), 0);
	party->handshake.preshared_key = run_from(129);
	noise_handshake_prepare(&party->handshake, &party->identity);
}

static bool accept(struct party *party, const struct message_initiation *message, uint64_t now)
{
	struct noise_initiation initiation;

	return noise_initiation_open(&party->identity, message, &initiation) &&
	       key_equal(&initiation.remote_static, &party->handshake.remote_static) &&
	       noise_initiation_accept(&party->identity, &party->handshake, &initiation, message,
				       now);
}

static void test_known_initiation(void **state)
{
	CLEANUP(party_clear) struct party responder;
	struct message_initiation message;

	(void)state;
	party_init(&responder, 33, 1);
	assert_int_equal(hex_read(initiation_digits, (uint8_t *)&message), sizeof(message));
	assert_true(accept(&responder, &message, 1));
	assert_int_equal(responder.handshake.state, NOISE_INITIATION_RECEIVED);
	assert_int_equal(responder.handshake.remote_index, 0x11223344);
	assert_hex_equal(responder.handshake.transcript.hash, hash_digits);
	assert_hex_equal(responder.handshake.transcript.chaining_key, chaining_digits);
}

static void test_known_response(void **state)
{
	CLEANUP(party_clear) struct party initiator;
	struct key ephemeral = run_from(65);
	struct message_response message;
	struct noise_keys keys;

	(void)state;
	party_init(&initiator, 1, 33);
	initiator.handshake.state = NOISE_INITIATION_SENT;
	assert_true(curve_pair_set(&initiator.handshake.ephemeral, &ephemeral));
	hex_read(hash_digits, initiator.handshake.transcript.hash);
	hex_read(chaining_digits, initiator.handshake.transcript.chaining_key);
	assert_int_equal(hex_read(response_digits, (uint8_t *)&message), sizeof(message));
	assert_true(noise_response_consume(&initiator.identity, &initiator.handshake, &message));
	assert_int_equal(initiator.handshake.remote_index, 0x55667788);
	noise_handshake_finish(&initiator.handshake, &keys);
	assert_hex_equal(keys.sending, first_key_digits);
	assert_hex_equal(keys.receiving, second_key_digits);
	assert_int_equal(initiator.handshake.state, NOISE_NOTHING);
}

/* What we make, we understand; with the two tests above, so does everyone. */
static void test_both_sides(void **state)
{
	CLEANUP(party_clear) struct party initiator, responder;
	struct timespec real = {.tv_sec = 1700000000, .tv_nsec = 301989889};
	struct message_initiation initiation;
	struct message_response response;
	struct noise_keys first, second;

	(void)state;
	party_init(&initiator, 1, 33);
	party_init(&responder, 33, 1);
	assert_true(noise_initiation_create(&initiator.identity, &initiator.handshake, 5, &real,
					    &initiation));
	assert_true(accept(&responder, &initiation, 1));
	assert_true(noise_response_create(&responder.handshake, 6, &response));
	assert_int_equal(bytes_get_le32(response.receiver), 5);
	assert_true(noise_response_consume(&initiator.identity, &initiator.handshake, &response));
	assert_int_equal(initiator.handshake.remote_index, 6);
	assert_false(noise_response_consume(&initiator.identity, &initiator.handshake, &response));
	noise_handshake_finish(&initiator.handshake, &first);
	noise_handshake_finish(&responder.handshake, &second);
	assert_memory_equal(first.sending, second.receiving, sizeof(first.sending));
	assert_memory_equal(first.receiving, second.sending, sizeof(first.sending));
	assert_memory_not_equal(first.sending, first.receiving, sizeof(first.sending));
}

/* Section 5.1: the same time, or one before, is a replay; and no more than fifty a second. */
static void test_timestamps(void **state)
{
	CLEANUP(party_clear) struct party initiator, responder;
	struct timespec real = {.tv_sec = 1700000000};
	struct message_initiation first, second, early;

	(void)state;
	party_init(&initiator, 1, 33);
	party_init(&responder, 33, 1);
	real.tv_sec--;
	assert_true(noise_initiation_create(&initiator.identity, &initiator.handshake, 5, &real,
					    &early));
	real.tv_sec++;
	assert_true(noise_initiation_create(&initiator.identity, &initiator.handshake, 5, &real,
					    &first));
	real.tv_nsec += 20000000;
	assert_true(noise_initiation_create(&initiator.identity, &initiator.handshake, 5, &real,
					    &second));
	assert_true(accept(&responder, &first, MOMENT_SECOND));
	assert_false(accept(&responder, &first, 2 * MOMENT_SECOND));
	assert_false(accept(&responder, &early, 2 * MOMENT_SECOND));
	assert_false(accept(&responder, &second, MOMENT_SECOND + 19999999));
	assert_true(accept(&responder, &second, MOMENT_SECOND + 20000000));
}

/* The time that is told has a grain of 2^24 ns. */
static void test_timestamp_grain(void **state)
{
	CLEANUP(party_clear) struct party initiator, responder;
	struct timespec real = {.tv_sec = 1700000000, .tv_nsec = 0x12345678};
	struct message_initiation message;

	(void)state;
	party_init(&initiator, 1, 33);
	party_init(&responder, 33, 1);
	assert_true(noise_initiation_create(&initiator.identity, &initiator.handshake, 5, &real,
					    &message));
	assert_true(accept(&responder, &message, 1));
	assert_hex_equal(responder.handshake.newest_timestamp, "400000006553f10a12000000");
}

static void test_any_bit_counts(void **state)
{
	CLEANUP(party_clear) struct party initiator, responder;
	struct timespec real = {.tv_sec = 1700000000};
	struct message_initiation initiation, wrong_initiation;
	struct message_response response, wrong_response;
	/* The MACs and the sender's index in front are not the handshake's to prove. */
	size_t first = offsetof(struct message_initiation, ephemeral);
	size_t end = offsetof(struct message_initiation, macs);

	(void)state;
	party_init(&initiator, 1, 33);
	party_init(&responder, 33, 1);
	assert_true(noise_initiation_create(&initiator.identity, &initiator.handshake, 5, &real,
					    &initiation));
	for (size_t bit = first * 8; bit < end * 8; bit++) {
		wrong_initiation = initiation;
		((uint8_t *)&wrong_initiation)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		/* X25519 ignores the highest bit of a public key, the hash does not. */
		assert_false(accept(&responder, &wrong_initiation, 1));
	}
	assert_int_equal(responder.handshake.state, NOISE_NOTHING);
	assert_true(accept(&responder, &initiation, 1));
	assert_true(noise_response_create(&responder.handshake, 6, &response));
	first = offsetof(struct message_response, ephemeral);
	end = offsetof(struct message_response, macs);
	for (size_t bit = first * 8; bit < end * 8; bit++) {
		wrong_response = response;
		((uint8_t *)&wrong_response)[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(noise_response_consume(&initiator.identity, &initiator.handshake,
						    &wrong_response));
	}
	assert_int_equal(initiator.handshake.state, NOISE_INITIATION_SENT);
	initiator.handshake.preshared_key.bytes[31] ^= 1;
	assert_false(noise_response_consume(&initiator.identity, &initiator.handshake, &response));
	initiator.handshake.preshared_key.bytes[31] ^= 1;
	assert_true(noise_response_consume(&initiator.identity, &initiator.handshake, &response));
}

static void test_no_key(void **state)
{
	CLEANUP(party_clear) struct party party;
	struct message_initiation message;
	struct noise_initiation opened;
	struct timespec real = {};
	struct key none = {};

	(void)state;
	party_init(&party, 1, 33);
	key_wipe(&party.handshake.remote_static); /* a point of small order */
	noise_handshake_prepare(&party.handshake, &party.identity);
	assert_false(
		noise_initiation_create(&party.identity, &party.handshake, 5, &real, &message));
	assert_true(noise_identity_set(&party.identity, &none));
	assert_int_equal(hex_read(initiation_digits, (uint8_t *)&message), sizeof(message));
	assert_false(noise_initiation_open(&party.identity, &message, &opened));
}

/* A peer whose public key is of small order: anyone can compute what he would share with us, so
 * nobody is taken for him. */
static void test_small_order_peer(void **state)
{
	CLEANUP(party_clear) struct party initiator, responder;
	struct timespec real = {.tv_sec = 1700000000};
	struct message_initiation message;

	(void)state;
	party_init(&initiator, 1, 33);
	party_init(&responder, 33, 1);
	key_wipe(&initiator.identity.pair.public_key);
	key_wipe(&initiator.handshake.static_static);
	key_wipe(&responder.handshake.remote_static);
	noise_handshake_prepare(&responder.handshake, &responder.identity);
	assert_true(noise_initiation_create(&initiator.identity, &initiator.handshake, 5, &real,
					    &message));
	assert_false(accept(&responder, &message, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_initiation), cmocka_unit_test(test_known_response),
		cmocka_unit_test(test_both_sides),	 cmocka_unit_test(test_timestamps),
		cmocka_unit_test(test_timestamp_grain),	 cmocka_unit_test(test_any_bit_counts),
		cmocka_unit_test(test_no_key),		 cmocka_unit_test(test_small_order_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
