"""Align every face of a type to the type's common frame.

``align.align_faces`` finds the types of a collection and aligns its faces, ``align.align_to``
aligns later faces to frames that exist, ``pairs.propose`` one face to another, and
``warping.warp_to_frame`` renders an aligned face.
"""
