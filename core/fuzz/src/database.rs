//! KeePass databases with any content behind an encryption that is right.

use aes::{Aes256, cipher::BlockCipherEncrypt as _};
use cbc::cipher::{BlockModeEncrypt as _, KeyInit as _, KeyIvInit as _, block_padding::Pkcs7};
use sha2::{Digest, Sha256};

/// A database (KDBX 3) with that content, compressed or not, as it says; one round of its key derivation.
pub fn sealed(content: &[u8], is_gzip: bool, password: &str) -> Vec<u8> {
    let mut header = b"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5\x01\0\x03\0".to_vec();
    let fields: [(u8, &[u8]); 10] = [
        // AES
        (2, b"\x31\xc1\xf2\xe6\xbf\x71\x43\x50\xbe\x58\x05\x21\x6a\xfc\x5a\xff"),
        (3, &[u8::from(is_gzip), 0, 0, 0]),
        (4, &[4; 32]),
        (5, &[5; 32]),
        (6, &[1, 0, 0, 0, 0, 0, 0, 0]),
        (7, &[7; 16]),
        (8, &[8; 32]),
        (9, &[9; 32]),
        // Salsa20
        (10, &[2, 0, 0, 0]),
        (0, b""),
    ];
    for (id, value) in fields {
        header.push(id);
        header.extend_from_slice(&(value.len() as u16).to_le_bytes());
        header.extend_from_slice(value);
    }
    let mut body = vec![9; 32];
    for (number, block) in [content, b""].into_iter().enumerate() {
        body.extend_from_slice(&(number as u32).to_le_bytes());
        body.extend_from_slice(&Sha256::digest(block));
        body.extend_from_slice(&(block.len() as u32).to_le_bytes());
        body.extend_from_slice(block);
    }
    let mut halves = <[u8; 32]>::from(Sha256::digest(Sha256::digest(password)));
    let cipher = Aes256::new(&[5; 32].into());
    for half in halves.chunks_exact_mut(16) {
        let mut block = aes::Block::try_from(&*half).unwrap();
        cipher.encrypt_block(&mut block);
        half.copy_from_slice(&block);
    }
    let key = Sha256::new().chain_update([4; 32]).chain_update(Sha256::digest(halves)).finalize();
    let length = body.len();
    body.resize(length + 16, 0);
    let sealed = cbc::Encryptor::<Aes256>::new_from_slices(&key, &[7; 16])
        .unwrap()
        .encrypt_padded::<Pkcs7>(&mut body, length)
        .unwrap();
    [&header, sealed].concat()
}
